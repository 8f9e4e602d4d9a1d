//! Events that several parts of the service tell, as outbox rows.

use chrono::{DateTime, Utc};
use db::outbox::Event;
use proto::messaging::{
    events::v1::{ChannelChanged, MessageStatusChanged},
    v1::{Failure, MessageStatus},
};
use serde_json::Value;

use crate::store::{moved::Moved, routes::Route};

/// The actor of what a number's lane does by itself.
pub(crate) const LANE: &str = "system:lane";
/// The actor of what WhatsApp reported.
pub(crate) const WHATSAPP: &str = "system:whatsapp";

/// The event of a message that moved on.
pub(crate) fn moved(moved: &Moved, now: DateTime<Utc>, actor: &str) -> Event {
    let changed = MessageStatusChanged {
        message_id: moved.message_id.to_string(),
        conversation_id: moved.conversation_id.to_string(),
        status: MessageStatus::from(moved.status).into(),
        failure: moved.failure.as_ref().and_then(failure),
        status_at: Some(moved.status_at.into()),
    };
    bus::event(
        &changed,
        Some(moved.organization_id),
        Some(actor.to_owned()),
        now,
    )
}

/// The event of a channel: `connected`, `blocked`, or the name of what WhatsApp reported.
pub(crate) fn channel_changed(
    route: Route,
    change: &str,
    now: DateTime<Utc>,
    actor: &str,
) -> Event {
    let changed = ChannelChanged {
        channel_id: route.channel_id.to_string(),
        change: change.to_owned(),
        changed_at: Some(now.into()),
    };
    bus::event(
        &changed,
        Some(route.organization_id),
        Some(actor.to_owned()),
        now,
    )
}

/// A stored failure; what can't be read any more is left out rather than hiding the status.
pub(crate) fn failure(stored: &Value) -> Option<Failure> {
    serde_json::from_value(stored.clone()).ok()
}
