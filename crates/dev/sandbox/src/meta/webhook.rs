//! Webhooks on their way to an app: queue, batches, signature, retries.

mod deliver;
mod handshake;
mod payload;
mod queue;
mod signature;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{
    ledger::Status,
    number::Number,
    statuses::{Pricing, StatusError},
};
pub(super) use deliver::run;
pub use handshake::HandshakeError;
pub(super) use handshake::verify;
pub(super) use payload::to_meta_json;
pub(super) use queue::Lane;
pub use signature::sign;

/// Something an app has to be told.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Status(Arc<StatusEvent>),
    Message(Arc<MessageEvent>),
    /// A whole payload written by a test.
    Raw(Bytes),
}

#[derive(Debug)]
pub(super) struct StatusEvent {
    pub(super) number: Arc<Number>,
    pub(super) wamid: Arc<str>,
    pub(super) status: Status,
    pub(super) recipient: Arc<Party>,
    pub(super) pricing: Option<Arc<Pricing>>,
    pub(super) opaque: Option<Arc<str>>,
    pub(super) error: Option<StatusError>,
}

#[derive(Debug)]
pub(super) struct MessageEvent {
    pub(super) number: Arc<Number>,
    pub(super) wamid: Arc<str>,
    pub(super) sender: Arc<Party>,
    /// The object inside `messages[]`.
    pub(super) message: Value,
}

/// A customer as webhooks show them.
#[derive(Debug)]
pub(super) struct Party {
    /// Absent when the person hides their number.
    pub(super) wa_id: Option<String>,
    pub(super) user_id: String,
    pub(super) name: Option<String>,
    pub(super) username: Option<String>,
}
