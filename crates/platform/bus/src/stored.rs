//! A delivery in the database, where it waits for its next attempt or for a person.

use chrono::DateTime;
use db::deferred::{Due, Failure};
use ids::EventId;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Delivery, Envelope};

/// What is kept beside the columns that the table has.
#[derive(Debug, Serialize, Deserialize)]
struct Headers {
    exchange: String,
    routing_key: String,
    key: String,
    occurred_at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    causation_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aggregate_version: Option<i64>,
}

/// The row was not written by this crate, or its envelope was broken from the start.
#[derive(Debug, thiserror::Error)]
#[error("the stored headers are no envelope")]
pub(crate) struct NotAnEnvelope(#[source] serde_json::Error);

impl Delivery {
    /// The row for a failed delivery.
    pub(crate) fn to_failure(&self, error: &str, permanent: bool) -> Failure {
        let envelope = &self.envelope;
        let headers = Headers {
            exchange: without_nul(&self.exchange),
            routing_key: without_nul(&self.routing_key),
            key: without_nul(&envelope.key),
            occurred_at_ms: envelope.occurred_at.timestamp_millis(),
            traceparent: envelope.traceparent.as_deref().map(without_nul),
            causation_id: envelope.causation_id,
            actor: envelope.actor.as_deref().map(without_nul),
            aggregate_version: envelope.aggregate_version,
        };
        Failure {
            event_id: envelope.event_id,
            organization_id: envelope.organization_id,
            event_type: without_nul(&envelope.event_type),
            payload: self.payload.clone().into(),
            // Strings and numbers always serialize.
            headers: serde_json::to_value(headers).unwrap_or_default(),
            error: without_nul(error),
            permanent,
        }
    }

    /// The delivery of a row, for its next attempt.
    pub(crate) fn from_due(due: &Due) -> Result<Self, NotAnEnvelope> {
        let headers = Headers::deserialize(&due.headers).map_err(NotAnEnvelope)?;
        Ok(Self {
            envelope: Envelope {
                event_id: due.event_id,
                event_type: due.event_type.clone(),
                organization_id: due.organization_id,
                key: headers.key,
                occurred_at: DateTime::from_timestamp_millis(headers.occurred_at_ms)
                    .unwrap_or(DateTime::UNIX_EPOCH),
                traceparent: headers.traceparent,
                causation_id: headers.causation_id,
                actor: headers.actor,
                aggregate_version: headers.aggregate_version,
            },
            exchange: headers.exchange,
            routing_key: headers.routing_key,
            payload: due.payload.to_vec(),
            attempts: u32::try_from(due.attempt.saturating_sub(1)).unwrap_or(0),
        })
    }
}

/// The row for a message whose envelope can't be read. `event_id` is the message's own if it has a
/// readable one.
pub(crate) fn unreadable(
    event_id: EventId,
    properties: &BasicProperties,
    payload: Vec<u8>,
    error: &str,
) -> Failure {
    let event_type = properties.kind().as_ref().map_or("", |kind| kind.as_str());
    let headers = properties
        .headers()
        .as_ref()
        .map_or_else(Map::new, readable);
    Failure {
        event_id,
        organization_id: None,
        event_type: without_nul(event_type),
        payload: payload.into(),
        headers: Value::Object(headers),
        error: without_nul(error),
        permanent: true,
    }
}

fn readable(table: &FieldTable) -> Map<String, Value> {
    table
        .inner()
        .iter()
        .map(|(name, value)| {
            let value = match value {
                AMQPValue::LongString(text) => {
                    Value::from(without_nul(&String::from_utf8_lossy(text.as_bytes())))
                }
                AMQPValue::ShortString(text) => Value::from(without_nul(text.as_str())),
                AMQPValue::LongLongInt(number) => Value::from(*number),
                AMQPValue::LongInt(number) => Value::from(*number),
                AMQPValue::Boolean(flag) => Value::from(*flag),
                other => Value::from(format!("({:?})", other.get_type())),
            };
            (without_nul(name.as_str()), value)
        })
        .collect()
}

/// PostgreSQL's text has no NUL; a message that carries one must still find a place.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use ids::{DeliveryId, OrganizationId};

    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            envelope: Envelope {
                event_id: EventId::min_at(9),
                event_type: "t.v1.Happened".to_owned(),
                organization_id: Some(OrganizationId::min_at(1)),
                key: "k\0ey".to_owned(),
                occurred_at: DateTime::from_timestamp_millis(1_700_000_000_456)
                    .expect("a valid time"),
                traceparent: Some(
                    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
                ),
                causation_id: None,
                actor: Some("system:test".to_owned()),
                aggregate_version: Some(3),
            },
            exchange: "a.events".to_owned(),
            routing_key: "a.happened.v1".to_owned(),
            payload: vec![1, 2, 3],
            attempts: 0,
        }
    }

    #[test]
    fn a_stored_delivery_comes_back_as_it_was_but_one_attempt_older() {
        let failure = delivery().to_failure("it broke\0", false);
        assert_eq!(failure.error, "it broke");
        let due = Due {
            id: DeliveryId::generate_at(1),
            consumer: "q".to_owned(),
            event_id: failure.event_id,
            organization_id: failure.organization_id,
            event_type: failure.event_type,
            payload: failure.payload,
            headers: failure.headers,
            attempt: 2,
        };
        let mut expected = delivery();
        expected.envelope.key = "key".to_owned();
        expected.attempts = 1;
        assert_eq!(Delivery::from_due(&due).expect("an envelope"), expected);
    }

    #[test]
    fn a_row_without_an_envelope_is_an_error() {
        let failure = unreadable(
            EventId::generate_at(1),
            &BasicProperties::default(),
            Vec::new(),
            "no id",
        );
        let due = Due {
            id: DeliveryId::generate_at(1),
            consumer: "q".to_owned(),
            event_id: failure.event_id,
            organization_id: None,
            event_type: failure.event_type,
            payload: failure.payload,
            headers: failure.headers,
            attempt: 1,
        };
        assert!(Delivery::from_due(&due).is_err());
    }
}
