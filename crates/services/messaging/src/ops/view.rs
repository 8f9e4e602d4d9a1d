//! Stored rows and wire forms.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use errors::FieldViolation;
use ids::{Actor, LabelId, TenantScope, UserId};
use proto::messaging::v1::{
    Channel, ChannelNotice, ChannelState, ConsentPurpose, ConsentState, Contact, ContactIdentity,
    Conversation, Direction, Message, MessageStatus, QuarantinedItem,
};

use crate::{
    domain::{content::inbound::structure, window, work},
    error::Error,
    events::publish,
    store::{channels, consents, contacts, conversations, messages, notices, quarantine},
};

/// An id of a request; a wrong one names its field.
pub(crate) fn id<T: FromStr>(field: &str, text: &str) -> Result<T, Error>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        Error::Invalid(vec![FieldViolation::new(field, error.to_string())])
    })
}

/// An optional id: empty means none.
pub(crate) fn optional_id<T: FromStr>(field: &str, text: &str) -> Result<Option<T>, Error>
where
    T::Err: std::fmt::Display,
{
    if text.is_empty() {
        return Ok(None);
    }
    id(field, text).map(Some)
}

/// A time of a request.
pub(crate) fn time(field: &str, at: pbjson_types::Timestamp) -> Result<DateTime<Utc>, Error> {
    u32::try_from(at.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(at.seconds, nanos))
        .ok_or_else(|| Error::Invalid(vec![FieldViolation::new(field, "is not a time")]))
}

/// The ids of a repeated field.
pub(crate) fn ids<T: FromStr>(field: &str, texts: &[String]) -> Result<Vec<T>, Error>
where
    T::Err: std::fmt::Display,
{
    texts.iter().map(|text| id(field, text)).collect()
}

/// The person who calls; `None` for a program.
pub(crate) const fn person(scope: &TenantScope) -> Option<UserId> {
    match scope.actor {
        Actor::User(id) => Some(id),
        _ => None,
    }
}

pub(crate) fn channel(row: channels::Channel) -> Channel {
    let state = match row.state.as_str() {
        "active" => ChannelState::Active,
        _ => ChannelState::Blocked,
    };
    Channel {
        id: row.id.to_string(),
        name: row.name,
        phone_number_id: row.phone_number_id,
        waba_id: row.waba_id,
        app: row.app,
        display_phone_number: row.display_phone_number,
        verified_name: row.verified_name,
        state: state.into(),
        state_reason: row.state_reason,
        created_at: Some(row.created_at.into()),
    }
}

pub(crate) fn notice(row: notices::Notice) -> ChannelNotice {
    ChannelNotice {
        id: row.id.to_string(),
        field: row.field,
        value: Some(structure(&row.value.to_string())),
        received_at: Some(row.received_at.into()),
    }
}

pub(crate) fn contact(
    row: contacts::Contact,
    identities: Vec<contacts::Identity>,
    said: Vec<consents::State>,
) -> Contact {
    Contact {
        id: row.id.to_string(),
        name: row.name,
        identities: identities
            .into_iter()
            .map(|(kind, value)| ContactIdentity { kind, value })
            .collect(),
        created_at: Some(row.created_at.into()),
        locale: row.locale,
        time_zone: row.time_zone,
        attributes: Some(structure(&row.attributes.to_string())),
        version: row.version.unsigned_abs(),
        consents: said
            .into_iter()
            .map(|state| ConsentState {
                purpose: purpose(&state.purpose).into(),
                granted: state.granted,
                occurred_at: Some(state.occurred_at.into()),
            })
            .collect(),
        blocked_at: row.blocked_at.map(Into::into),
    }
}

/// The purpose of a stored word.
pub(crate) fn purpose(word: &str) -> ConsentPurpose {
    match word {
        "marketing" => ConsentPurpose::Marketing,
        "utility" => ConsentPurpose::Utility,
        _ => ConsentPurpose::Unspecified,
    }
}

pub(crate) fn conversation(row: conversations::Conversation, now: DateTime<Utc>) -> Conversation {
    Conversation {
        id: row.id.to_string(),
        channel_id: row.channel_id.to_string(),
        contact_id: row.contact_id.to_string(),
        contact_name: row.contact_name,
        status: work::status(&row.status).into(),
        unanswered_count: u32::try_from(row.unanswered_count).unwrap_or(0),
        preview: row.preview,
        last_message_at: Some(row.last_message_at.into()),
        window_closes_at: window::closes_at(row.last_inbound_at, now).map(Into::into),
        created_at: Some(row.created_at.into()),
        assignee_id: row.assignee_id.map(|id| id.to_string()).unwrap_or_default(),
        team_id: row.team_id.map(|id| id.to_string()).unwrap_or_default(),
        priority: work::priority(row.priority).into(),
        label_ids: row.label_ids.iter().map(LabelId::to_string).collect(),
        snoozed_until: row.snoozed_until.map(Into::into),
        unread_count: u32::try_from(row.unread_count).unwrap_or(u32::MAX),
        version: row.version.unsigned_abs(),
    }
}

pub(crate) fn message(row: messages::Message) -> Result<Message, Error> {
    let direction = Direction::try_from(i32::from(row.direction)).unwrap_or_default();
    let content = serde_json::from_value(row.content).map_err(|source| Error::Inconsistent {
        table: "messages",
        column: "content",
        source,
    })?;
    Ok(Message {
        id: row.id.to_string(),
        conversation_id: row.conversation_id.to_string(),
        channel_id: row.channel_id.to_string(),
        contact_id: row.contact_id.to_string(),
        direction: direction.into(),
        status: MessageStatus::from(row.status).into(),
        content: Some(content),
        wamid: row.wamid.unwrap_or_default(),
        reply_to_message_id: row
            .reply_to_message_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        failure: row.failure.as_ref().and_then(publish::failure),
        author: row.author,
        created_at: Some(row.created_at.into()),
        provider_at: (direction == Direction::Inbound).then(|| row.sent_at.into()),
        status_at: Some(row.status_at.into()),
        media: Vec::new(),
    })
}

pub(crate) fn quarantined(row: quarantine::Item) -> QuarantinedItem {
    QuarantinedItem {
        id: row.id.to_string(),
        reason: row.reason,
        phone_number_id: row.phone_number_id.unwrap_or_default(),
        raw: row.raw,
        received_at: Some(row.received_at.into()),
    }
}
