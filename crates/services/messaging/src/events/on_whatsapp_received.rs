//! Consumes `WhatsAppReceived`: a batch of webhook bodies becomes rows in one transaction.

use bus::{BatchHandler, Delivery, HandlerError, ItemOutcome, Subscription};
use chrono::{DateTime, Utc};
use clock::Clock;
use db::{DbError, SystemTx};
use ids::MessageId;
use proto::edge::events::v1::WhatsAppReceived;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use whatsapp::{
    CallbackKey,
    webhook::{self, Item, Parsed},
};

use super::intake::{apply, sort::Sorted};
use crate::store::routes::{self, AccountRoute, Route};

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
        let mut items: Vec<Item> = Vec::new();
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
        let routes = Routes::load(tx.conn(), &items).await?;
        let token = |mark: &str| -> Option<MessageId> {
            self.callback.open(mark).map(|mark| mark.message_id)
        };
        for item in &items {
            self.route(item, &routes, &mut sorted, now, &token);
        }
        // One span for the batch: its events belong to many traces, which their own spans link.
        kill::point!("messaging.inbox-claimed");
        apply::apply(tx, sorted, now).await?;
        Ok(outcomes)
    }
}

impl OnWhatsAppReceived {
    fn parse(&self, received: &WhatsAppReceived, items: &mut Vec<Item>, sorted: &mut Sorted) {
        match webhook::parse(&received.body) {
            Ok(Parsed { items: found, .. }) => items.extend(found),
            Err(error) => {
                tracing::warn!(webhook.id = received.webhook_id, error = %error, "a signed webhook can't be read and is kept");
                let digest = hex::encode(Sha256::digest(&received.body));
                sorted.malformed(&received.body, &digest, self.clock.unix_ms());
            }
        }
    }

    fn route(
        &self,
        item: &Item,
        routes: &Routes,
        sorted: &mut Sorted,
        now: DateTime<Utc>,
        token: super::intake::sort::ReadToken<'_>,
    ) {
        let found = routes.of(item);
        if found.is_empty() {
            sorted.unknown(item, self.clock.unix_ms());
        }
        for route in found {
            sorted.routed(item, route, now, token);
        }
    }
}

/// The routes a batch needs, read once.
struct Routes {
    numbers: std::collections::HashMap<String, Route>,
    accounts: Vec<AccountRoute>,
}

impl Routes {
    async fn load(conn: &mut PgConnection, items: &[Item]) -> Result<Self, DbError> {
        let mut numbers: Vec<String> = items
            .iter()
            .filter_map(|item| item.origin.number.phone_number_id.clone())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut wabas: Vec<String> = items
            .iter()
            .filter(|item| item.origin.number.phone_number_id.is_none())
            .filter_map(|item| item.origin.waba_id.clone())
            .collect();
        wabas.sort_unstable();
        wabas.dedup();
        Ok(Self {
            numbers: routes::find_by_numbers(conn, &numbers).await?,
            accounts: if wabas.is_empty() {
                Vec::new()
            } else {
                routes::list_by_accounts(conn, &wabas).await?
            },
        })
    }

    /// By number where the item names one; account-level items by the digits of the number within
    /// the account, or to every number of the account.
    fn of(&self, item: &Item) -> Vec<Route> {
        let number = &item.origin.number;
        if let Some(id) = &number.phone_number_id {
            return self.numbers.get(id).copied().into_iter().collect();
        }
        let account = self
            .accounts
            .iter()
            .filter(|known| Some(&known.waba_id) == item.origin.waba_id.as_ref());
        match &number.display {
            Some(display) => {
                let digits: String = display.chars().filter(char::is_ascii_digit).collect();
                account
                    .filter(|known| known.display_digits == digits)
                    .map(|known| known.route)
                    .collect()
            }
            None => account.map(|known| known.route).collect(),
        }
    }
}
