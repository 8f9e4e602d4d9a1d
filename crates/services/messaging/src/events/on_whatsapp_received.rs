//! Consumes `WhatsAppReceived`: a batch of webhook bodies becomes rows in one transaction.

use std::sync::Arc;

use bus::{BatchHandler, Delivery, HandlerError, ItemOutcome, Subscription};
use chrono::{DateTime, Utc};
use clock::Clock;
use db::SystemTx;
use ids::MessageId;
use proto::edge::events::v1::WhatsAppReceived;
use sha2::{Digest, Sha256};
use whatsapp::{
    CallbackKey,
    webhook::{self, Parsed},
};

use super::intake::{
    apply,
    routing::{Heard, Routing},
    sort::{ReadToken, Sorted},
};
use crate::store::quarantine::Reason;

/// What it listens to.
pub(crate) const SUBSCRIPTION: Subscription = Subscription {
    queue: "messaging.on-whatsapp-received",
    exchange: "edge.events",
    routing_key: "edge.whatsapp.received.v1",
};

/// The handler.
#[derive(Debug)]
pub(crate) struct OnWhatsAppReceived {
    pub(crate) clock: Clock,
    pub(crate) callback: CallbackKey,
}

impl BatchHandler for OnWhatsAppReceived {
    async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, HandlerError> {
        let now = self.clock.now();
        let mut sorted = Sorted::default();
        let mut items: Vec<Heard> = Vec::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            outcomes.push(match delivery.decode::<WhatsAppReceived>() {
                Ok(received) => {
                    self.parse(&received, &mut items, &mut sorted);
                    ItemOutcome::Done
                }
                Err(error) => ItemOutcome::dead(&error),
            });
        }
        let routing = Routing::load(tx.conn(), &items).await?;
        let token = |mark: &str| -> Option<MessageId> {
            self.callback.open(mark).map(|mark| mark.message_id)
        };
        for item in &items {
            self.route(item, &routing, &mut sorted, now, &token);
        }
        // One span for the batch: its events belong to many traces, which their own spans link.
        kill::point!("messaging.inbox-claimed");
        apply::apply(tx, sorted, now).await?;
        Ok(outcomes)
    }
}

impl OnWhatsAppReceived {
    fn parse(&self, received: &WhatsAppReceived, items: &mut Vec<Heard>, sorted: &mut Sorted) {
        match webhook::parse(&received.body) {
            Ok(Parsed { items: found, .. }) => {
                let app: Arc<str> = received.app.as_str().into();
                items.extend(found.into_iter().map(|item| Heard {
                    app: Arc::clone(&app),
                    item,
                }));
            }
            Err(error) => {
                tracing::warn!(webhook.id = received.webhook_id, error = %error, "a signed webhook can't be read and is kept");
                let digest = hex::encode(Sha256::digest(&received.body));
                sorted.malformed(&received.body, &digest, self.clock.unix_ms());
            }
        }
    }

    fn route(
        &self,
        heard: &Heard,
        routing: &Routing,
        sorted: &mut Sorted,
        now: DateTime<Utc>,
        token: ReadToken<'_>,
    ) {
        match routing.of(heard) {
            Ok(routes) => {
                for route in routes {
                    sorted.routed(&heard.item, route, now, token);
                }
            }
            Err(reason) => {
                if reason == Reason::WrongApp {
                    // A channel connected with the wrong name of its app, or somebody who signs for others.
                    tracing::warn!(
                        webhook.app = &*heard.app,
                        "content for a number of another Meta app is kept aside"
                    );
                }
                sorted.unrouted(&heard.item, reason, self.clock.unix_ms());
            }
        }
    }
}
