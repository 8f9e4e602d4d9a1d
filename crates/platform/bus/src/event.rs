//! An event on its way into the outbox.

use chrono::{DateTime, Utc};
use db::outbox::{Event, OutboxHeaders};
use ids::{EventId, OrganizationId};
use proto::events::DomainEvent;

use crate::current_traceparent;

/// The outbox row that tells of `message`: type, routing key and ordering key come from the registry, the trace is the
/// current one. `organization_id` is `None` for the platform's own events, `actor` is who caused it
/// ([`ids::Actor`] displays itself so), `at` is when it happened.
///
/// Write it with [`db::outbox::push`], in the transaction of the change.
pub fn event<M: DomainEvent>(
    message: &M,
    organization_id: Option<OrganizationId>,
    actor: Option<String>,
    at: DateTime<Utc>,
) -> Event {
    Event {
        event_id: EventId::generate_at(clock::unix_ms(at)),
        organization_id,
        event_type: M::SPEC.event_type,
        routing_key: M::SPEC.routing_key.to_owned(),
        key: message.key().to_owned(),
        payload: message.encode_to_vec(),
        headers: OutboxHeaders {
            traceparent: current_traceparent(),
            actor,
            causation_id: None,
            aggregate_version: None,
        },
        occurred_at: at,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use proto::identity::events::v1::ApiKeyRevoked;

    use super::*;

    #[test]
    fn an_event_is_described_by_the_registry() {
        let message = ApiKeyRevoked {
            api_key_id: "key_1".to_owned(),
            revoked_at: None,
        };
        let at = DateTime::from_timestamp_millis(1_700_000_000_123).expect("a valid time");
        let organization = OrganizationId::min_at(1);
        let event = event(&message, Some(organization), Some("user:u".to_owned()), at);
        assert_eq!(event.event_type, ApiKeyRevoked::SPEC.event_type);
        assert_eq!(event.routing_key, ApiKeyRevoked::SPEC.routing_key);
        assert_eq!((event.key.as_str(), event.occurred_at), ("key_1", at));
        assert_eq!(event.organization_id, Some(organization));
        assert_eq!(event.headers.actor.as_deref(), Some("user:u"));
        assert_eq!(ApiKeyRevoked::decode(&*event.payload), Ok(message));
        assert!(event.event_id >= EventId::min_at(1_700_000_000_123));
    }
}
