//! An event as a consumer sees it.

use std::fmt;

use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{Envelope, trace};

/// One event for one consumer, at its first attempt or a later one.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Id, type, tenant, key, time, trace and author.
    pub envelope: Envelope,
    /// The exchange it was published on.
    pub exchange: String,
    /// The routing key it was published with.
    pub routing_key: String,
    /// The protobuf body.
    pub payload: Vec<u8>,
    /// Failed attempts so far: 0 at the first one.
    pub attempts: u32,
}

/// The body is not the message its type claims.
#[derive(Debug, thiserror::Error)]
#[error("the body is not a {event_type}")]
pub struct DecodeError {
    /// The type the envelope names.
    pub event_type: String,
    /// What the decoder found.
    #[source]
    pub source: prost::DecodeError,
}

impl Delivery {
    /// The body as the protobuf message `M`.
    ///
    /// # Errors
    /// If the bytes are not such a message. No later attempt can help: answer with
    /// [`ItemOutcome::Dead`](crate::ItemOutcome::Dead).
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M, DecodeError> {
        M::decode(self.payload.as_slice()).map_err(|source| DecodeError {
            event_type: self.envelope.event_type.clone(),
            source,
        })
    }

    /// A span for the work on this one event, child of the operation that wrote it. A handler that
    /// works through a batch enters it for each item, so that one trace shows the whole way.
    pub fn span(&self) -> Span {
        let span = tracing::info_span!(
            "event",
            event.id = %self.envelope.event_id,
            event.type = %self.envelope.event_type,
            organization.id = self.envelope.organization_id.map(tracing::field::display),
        );
        let parent = trace::remote_context(self.envelope.traceparent.as_deref());
        // Fails only where no OpenTelemetry layer is installed: then there is nothing to tie.
        let _untraced = span.set_parent(parent);
        span
    }
}

/// Without the payload: it may hold what a customer wrote.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("event_id", &self.envelope.event_id)
            .field("event_type", &self.envelope.event_type)
            .field("routing_key", &self.routing_key)
            .field("payload_bytes", &self.payload.len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
