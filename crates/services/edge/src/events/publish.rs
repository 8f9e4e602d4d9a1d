//! What the edge tells the other services.

use db::outbox::{Event, OutboxHeaders};
use ids::EventId;
use prost::Message;
use proto::{
    edge::events::v1::WhatsAppReceived,
    events::{DomainEvent, Spec},
};

use crate::domain::webhook::Webhook;

/// The registry's entry of the event that carries a WhatsApp webhook.
pub(crate) const WHATSAPP_RECEIVED: &Spec = WhatsAppReceived::SPEC;

/// The event of an accepted webhook. It belongs to no tenant: whose it is stands inside the body.
///
/// Takes the webhook, so that a body which waits to be stored is in memory once, as it is counted.
pub(crate) fn whatsapp_received(event_id: EventId, webhook: Webhook) -> Event {
    let message = WhatsAppReceived {
        webhook_id: webhook.id.to_string(),
        app: webhook.app.to_string(),
        body: webhook.body.into(),
        received_at: Some(webhook.received_at.into()),
    };
    Event {
        event_id,
        organization_id: None,
        event_type: WHATSAPP_RECEIVED.event_type,
        routing_key: WHATSAPP_RECEIVED.routing_key.to_owned(),
        key: message.key().to_owned(),
        payload: message.encode_to_vec(),
        headers: OutboxHeaders {
            traceparent: bus::current_traceparent(),
            ..OutboxHeaders::default()
        },
        occurred_at: webhook.received_at,
    }
}
