//! What travels beside an event's body, in AMQP properties and headers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::{EventId, OrganizationId};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use uuid::Uuid;

use crate::names::{CONTENT_TYPE, PERSISTENT, header};

/// The facts about an event that every consumer may need without decoding its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The event; also what the inbox recognizes duplicates by.
    pub event_id: EventId,
    /// Full protobuf name of the body: `switchboard.messaging.events.v1.MessageReceived`.
    pub event_type: String,
    /// The tenant; `None` for events of the platform itself.
    pub organization_id: Option<OrganizationId>,
    /// The aggregate within which order is kept.
    pub key: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// W3C trace context of the operation that made the event.
    pub traceparent: Option<String>,
    /// The event that caused this one.
    pub causation_id: Option<EventId>,
    /// Who did it, in the text form of [`ids::Actor`].
    pub actor: Option<String>,
    /// The aggregate's version after the change: a consumer ignores what is older than it knows.
    pub aggregate_version: Option<i64>,
}

/// A delivery that is not one of our events, or an event that AMQP can't carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the envelope's `{field}` is {problem}")]
pub struct EnvelopeError {
    /// The property or header at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

const fn missing(field: &'static str) -> EnvelopeError {
    EnvelopeError {
        field,
        problem: "missing",
    }
}

const fn malformed(field: &'static str) -> EnvelopeError {
    EnvelopeError {
        field,
        problem: "malformed",
    }
}

/// AMQP's short strings have at most 255 bytes.
pub(crate) fn short(field: &'static str, text: &str) -> Result<ShortString, EnvelopeError> {
    ShortString::try_new(text).map_err(|_too_long| EnvelopeError {
        field,
        problem: "longer than 255 bytes",
    })
}

impl Envelope {
    pub(crate) fn to_properties(&self) -> Result<BasicProperties, EnvelopeError> {
        let mut headers = FieldTable::default();
        let mut put = |name: &str, value: String| {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        };
        put(header::KEY, self.key.clone());
        if let Some(organization_id) = self.organization_id {
            put(header::ORGANIZATION_ID, organization_id.to_string());
        }
        if let Some(traceparent) = &self.traceparent {
            put(header::TRACEPARENT, traceparent.clone());
        }
        if let Some(causation_id) = self.causation_id {
            put(header::CAUSATION_ID, causation_id.to_string());
        }
        if let Some(actor) = &self.actor {
            put(header::ACTOR, actor.clone());
        }
        if let Some(version) = self.aggregate_version {
            headers.insert(
                header::AGGREGATE_VERSION.into(),
                AMQPValue::LongLongInt(version),
            );
        }
        headers.insert(
            header::OCCURRED_AT_MS.into(),
            AMQPValue::LongLongInt(self.occurred_at.timestamp_millis()),
        );
        let seconds = u64::try_from(self.occurred_at.timestamp()).unwrap_or(0);
        Ok(BasicProperties::default()
            .with_message_id(message_id(self.event_id))
            .with_type(short("type", &self.event_type)?)
            .with_timestamp(seconds)
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_headers(headers))
    }

    pub(crate) fn from_properties(properties: &BasicProperties) -> Result<Self, EnvelopeError> {
        let no_headers = BTreeMap::new();
        let headers = properties
            .headers()
            .as_ref()
            .map_or(&no_headers, FieldTable::inner);
        let text = |name: &'static str| match headers.get(name) {
            None => Ok(None),
            Some(value) => match header_text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(malformed(name)),
            },
        };
        let id = properties
            .message_id()
            .as_ref()
            .ok_or(missing("message-id"))?;
        let event_type = properties.kind().as_ref().ok_or(missing("type"))?;
        Ok(Self {
            event_id: parse_message_id(id.as_str()).ok_or(malformed("message-id"))?,
            event_type: event_type.to_string(),
            organization_id: parse(header::ORGANIZATION_ID, text(header::ORGANIZATION_ID)?)?,
            key: text(header::KEY)?.ok_or(missing(header::KEY))?.to_owned(),
            occurred_at: occurred_at(properties, headers)?,
            traceparent: text(header::TRACEPARENT)?.map(str::to_owned),
            causation_id: parse(header::CAUSATION_ID, text(header::CAUSATION_ID)?)?,
            actor: text(header::ACTOR)?.map(str::to_owned),
            aggregate_version: number(headers, header::AGGREGATE_VERSION)?,
        })
    }
}

/// The message id is the event id as people see it elsewhere, so that a search finds it.
pub(crate) fn message_id(event_id: EventId) -> ShortString {
    event_id.to_string().into()
}

fn parse_message_id(text: &str) -> Option<EventId> {
    // A bare uuid is what other publishers and shovels of old messages write.
    text.parse()
        .ok()
        .or_else(|| Uuid::parse_str(text).ok().map(EventId::from_uuid))
}

fn header_text(value: &AMQPValue) -> Option<&str> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    }
}

fn parse<T: std::str::FromStr>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, EnvelopeError> {
    text.map(|text| text.parse().map_err(|_error| malformed(field)))
        .transpose()
}

fn number(
    headers: &BTreeMap<ShortString, AMQPValue>,
    name: &'static str,
) -> Result<Option<i64>, EnvelopeError> {
    match headers.get(name) {
        None => Ok(None),
        Some(AMQPValue::LongLongInt(number)) => Ok(Some(*number)),
        Some(AMQPValue::LongInt(number)) => Ok(Some(i64::from(*number))),
        Some(_) => Err(malformed(name)),
    }
}

fn occurred_at(
    properties: &BasicProperties,
    headers: &BTreeMap<ShortString, AMQPValue>,
) -> Result<DateTime<Utc>, EnvelopeError> {
    if let Some(ms) = number(headers, header::OCCURRED_AT_MS)? {
        return DateTime::from_timestamp_millis(ms).ok_or(malformed(header::OCCURRED_AT_MS));
    }
    let seconds = properties.timestamp().ok_or(missing("timestamp"))?;
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(malformed("timestamp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            event_id: EventId::generate_at(1_700_000_000_123),
            event_type: "switchboard.edge.events.v1.WhatsAppReceived".to_owned(),
            organization_id: Some(OrganizationId::generate_at(1)),
            key: "123456".to_owned(),
            occurred_at: DateTime::from_timestamp_millis(1_700_000_000_123).expect("a valid time"),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            causation_id: Some(EventId::generate_at(5)),
            actor: Some("system:edge".to_owned()),
            aggregate_version: Some(7),
        }
    }

    #[test]
    fn an_envelope_survives_the_wire_format() {
        let sent = envelope();
        let properties = sent.to_properties().expect("fits");
        assert_eq!(Envelope::from_properties(&properties), Ok(sent.clone()));
        let bare = Envelope {
            organization_id: None,
            traceparent: None,
            causation_id: None,
            actor: None,
            aggregate_version: None,
            ..sent
        };
        let properties = bare.to_properties().expect("fits");
        assert_eq!(Envelope::from_properties(&properties), Ok(bare));
    }

    #[test]
    fn a_message_without_an_id_is_no_event() {
        let error = Envelope::from_properties(&BasicProperties::default()).expect_err("not ours");
        assert_eq!(error.field, "message-id");
    }

    #[test]
    fn a_malformed_tenant_is_an_error_and_not_an_absent_tenant() {
        let mut properties = envelope().to_properties().expect("fits");
        let mut headers = properties.headers().clone().expect("has headers");
        headers.insert(
            header::ORGANIZATION_ID.into(),
            AMQPValue::LongString("acme".into()),
        );
        properties = properties.with_headers(headers);
        let error = Envelope::from_properties(&properties).expect_err("a wrong tenant");
        assert_eq!(error.field, header::ORGANIZATION_ID);
    }

    #[test]
    fn a_type_too_long_for_amqp_is_refused_instead_of_panicking() {
        let long = Envelope {
            event_type: "x".repeat(256),
            ..envelope()
        };
        assert_eq!(long.to_properties().expect_err("too long").field, "type");
    }
}
