//! What the edge tells the other services.

use db::outbox::Event;
use proto::edge::events::v1::WhatsAppReceived;

use crate::domain::webhook::Webhook;

/// The event of an accepted webhook. It belongs to no tenant: whose it is stands inside the body.
///
/// Takes the webhook, so that a body which waits to be stored is in memory once, as it is counted.
pub(crate) fn whatsapp_received(webhook: Webhook) -> Event {
    let message = WhatsAppReceived {
        webhook_id: webhook.id.to_string(),
        app: webhook.app.to_string(),
        body: webhook.body.into(),
        received_at: Some(webhook.received_at.into()),
    };
    bus::event(&message, None, None, webhook.received_at)
}
