//! What the edge tells the other services.

use db::outbox::Event;
use proto::edge::events::v1::{ResendReceived, WhatsAppReceived};

use crate::domain::webhook::{Origin, Webhook};

/// The event of an accepted webhook. It belongs to no tenant: whose it is stands inside the body.
///
/// Takes the webhook, so that a body which waits to be stored is in memory once, as it is counted.
pub(crate) fn received(webhook: Webhook) -> Event {
    let Webhook {
        id,
        origin,
        body,
        received_at,
    } = webhook;
    match origin {
        Origin::WhatsApp { app, .. } => {
            let message = WhatsAppReceived {
                webhook_id: id.to_string(),
                app: app.to_string(),
                body: body.into(),
                received_at: Some(received_at.into()),
            };
            bus::event(&message, None, None, received_at)
        }
        Origin::Resend { delivery_id } => {
            let message = ResendReceived {
                webhook_id: id.to_string(),
                delivery_id: delivery_id.to_string(),
                body: body.into(),
                received_at: Some(received_at.into()),
            };
            bus::event(&message, None, None, received_at)
        }
    }
}
