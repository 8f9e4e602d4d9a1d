//! Our events, as outbox rows.

use chrono::{DateTime, Utc};
use db::outbox::{Event, OutboxHeaders};
use ids::{EventId, OrganizationId};
use proto::{
    events::DomainEvent,
    messaging::{
        events::v1::MessageStatusChanged,
        v1::{Failure, MessageStatus},
    },
};
use serde_json::Value;

use crate::store::intake::statuses::Moved;

/// What an event is told with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) organization_id: OrganizationId,
    pub(crate) now: DateTime<Utc>,
    /// Who caused it.
    pub(crate) actor: &'a str,
}

/// The outbox row of an event.
pub(crate) fn event<E: DomainEvent>(message: &E, occasion: Occasion<'_>) -> Event {
    let unix_ms = u64::try_from(occasion.now.timestamp_millis()).unwrap_or(0);
    Event {
        event_id: EventId::generate_at(unix_ms),
        organization_id: Some(occasion.organization_id),
        event_type: E::SPEC.event_type,
        routing_key: E::SPEC.routing_key.to_owned(),
        key: message.key().to_owned(),
        payload: message.encode_to_vec(),
        headers: OutboxHeaders {
            traceparent: bus::current_traceparent(),
            actor: Some(occasion.actor.to_owned()),
            causation_id: None,
            aggregate_version: None,
        },
        occurred_at: occasion.now,
    }
}

/// The event of a message that moved on.
pub(crate) fn status_changed(moved: &Moved) -> MessageStatusChanged {
    MessageStatusChanged {
        message_id: moved.message_id.to_string(),
        conversation_id: moved.conversation_id.to_string(),
        status: MessageStatus::from(moved.status).into(),
        failure: moved.failure.as_ref().and_then(failure),
        status_at: Some(moved.status_at.into()),
    }
}

/// A stored failure; what can't be read any more is left out rather than hiding the status.
pub(crate) fn failure(stored: &Value) -> Option<Failure> {
    serde_json::from_value(stored.clone()).ok()
}
