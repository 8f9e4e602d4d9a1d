//! Events of the feed as the API shows them.

use chrono::{DateTime, Utc};
use db::outbox::{Cursor, FeedEvent, FeedPage};
use prost::{DecodeError, Message as _};
use proto::{
    events::DomainEvent,
    messaging::{
        events::v1::{
            ChannelChanged, ChannelHealthChanged, ConsentChanged, ContactChanged, ContactMerged,
            ConversationAssigned, ConversationChanged, ConversationOpened, MediaFailed, MediaReady,
            MessageQueued, MessageReceived, MessageStatusChanged, NoteCreated, TemplateChanged,
        },
        v1::{Event, event::Payload},
    },
};

/// A sign of life with the place to resume at.
pub(super) fn heartbeat(cursor: Cursor, now: DateTime<Utc>) -> Event {
    Event {
        id: cursor.to_string(),
        r#type: "heartbeat".to_owned(),
        occurred_at: Some(now.into()),
        payload: None,
    }
}

/// The events of a page that the API shows. One that can't be read is left out rather than ending the
/// stream at this place again and again.
pub(super) fn events(page: &FeedPage) -> Vec<Event> {
    page.events
        .iter()
        .filter_map(|event| {
            one(event).unwrap_or_else(|error| {
                tracing::error!(
                    event.id = %event.event_id,
                    event.r#type = event.event_type,
                    error = errors::chain(&error),
                    "an event of the outbox can't be read and is not shown"
                );
                None
            })
        })
        .collect()
}

/// `None` for types the API does not show.
fn one(event: &FeedEvent) -> Result<Option<Event>, DecodeError> {
    let bytes = event.payload.as_slice();
    let (name, payload) = match event.event_type.as_str() {
        kind if kind == MessageReceived::SPEC.event_type => (
            "message.received",
            Payload::MessageReceived(MessageReceived::decode(bytes)?),
        ),
        kind if kind == MessageQueued::SPEC.event_type => (
            "message.queued",
            Payload::MessageQueued(MessageQueued::decode(bytes)?),
        ),
        kind if kind == MessageStatusChanged::SPEC.event_type => (
            "message.status_changed",
            Payload::MessageStatusChanged(MessageStatusChanged::decode(bytes)?),
        ),
        kind if kind == ConversationOpened::SPEC.event_type => (
            "conversation.opened",
            Payload::ConversationOpened(ConversationOpened::decode(bytes)?),
        ),
        kind if kind == ConversationChanged::SPEC.event_type => (
            "conversation.changed",
            Payload::ConversationChanged(ConversationChanged::decode(bytes)?),
        ),
        kind if kind == ConversationAssigned::SPEC.event_type => (
            "conversation.assigned",
            Payload::ConversationAssigned(ConversationAssigned::decode(bytes)?),
        ),
        kind if kind == NoteCreated::SPEC.event_type => (
            "note.created",
            Payload::NoteCreated(NoteCreated::decode(bytes)?),
        ),
        kind if kind == ChannelChanged::SPEC.event_type => (
            "channel.changed",
            Payload::ChannelChanged(ChannelChanged::decode(bytes)?),
        ),
        kind if kind == ChannelHealthChanged::SPEC.event_type => (
            "channel.health_changed",
            Payload::ChannelHealthChanged(ChannelHealthChanged::decode(bytes)?),
        ),
        kind if kind == TemplateChanged::SPEC.event_type => (
            "template.changed",
            Payload::TemplateChanged(TemplateChanged::decode(bytes)?),
        ),
        kind if kind == MediaReady::SPEC.event_type => (
            "media.ready",
            Payload::MediaReady(MediaReady::decode(bytes)?),
        ),
        kind if kind == MediaFailed::SPEC.event_type => (
            "media.failed",
            Payload::MediaFailed(MediaFailed::decode(bytes)?),
        ),
        kind if kind == ContactChanged::SPEC.event_type => (
            "contact.changed",
            Payload::ContactChanged(ContactChanged::decode(bytes)?),
        ),
        kind if kind == ContactMerged::SPEC.event_type => (
            "contact.merged",
            Payload::ContactMerged(ContactMerged::decode(bytes)?),
        ),
        kind if kind == ConsentChanged::SPEC.event_type => (
            "consent.changed",
            Payload::ConsentChanged(ConsentChanged::decode(bytes)?),
        ),
        _ => return Ok(None),
    };
    Ok(Some(Event {
        id: event.cursor.to_string(),
        r#type: name.to_owned(),
        occurred_at: Some(event.occurred_at.into()),
        payload: Some(payload),
    }))
}
