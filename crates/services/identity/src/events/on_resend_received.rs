//! Consumes what Resend tells about our mail: addresses that it does not reach get none.

use bus::{BatchHandler, Delivery, HandlerError, ItemOutcome, Subscription};
use chrono::{DateTime, Utc};
use db::SystemTx;
use proto::edge::events::v1::ResendReceived;
use resend::webhook::{Event, Malformed, Undeliverable};

use crate::{
    domain::{email::EmailKey, suppression::Reports},
    keys::{AddressHash, AddressKey},
    store::suppressions,
};

/// What it listens to.
pub(crate) const SUBSCRIPTION: Subscription = Subscription {
    queue: "identity.on-resend-received",
    exchange: "edge.events",
    routing_key: "edge.resend.received.v1",
};

/// Why an event says nothing, now or later.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Decode(#[from] bus::DecodeError),
    #[error("the webhook of Resend can't be read")]
    Webhook(#[from] Malformed),
}

/// The handler.
#[derive(Debug)]
pub(crate) struct OnResendReceived {
    pub(crate) addresses: AddressKey,
}

impl BatchHandler for OnResendReceived {
    async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut reports = Vec::new();
        for delivery in batch {
            outcomes.push(match self.read(delivery, &mut reports) {
                Ok(()) => ItemOutcome::Done,
                Err(error) => ItemOutcome::dead(&error),
            });
        }
        // In one order, so that two batches can't wait for each other.
        reports.sort_by_key(|(address, _)| *address);
        for (address, reports) in &reports {
            suppressions::add(tx, address, reports).await?;
        }
        Ok(outcomes)
    }
}

impl OnResendReceived {
    fn read(
        &self,
        delivery: &Delivery,
        reports: &mut Vec<(AddressHash, Reports)>,
    ) -> Result<(), Unusable> {
        let received: ResendReceived = delivery.decode()?;
        let event = Event::parse(&received.body)?;
        let Some(reason) = event.undeliverable() else {
            return Ok(());
        };
        let heard_at = delivery.envelope.occurred_at;
        let report = report(reason, event.created_at, heard_at);
        tracing::info!(
            webhook.id = received.webhook_id,
            mail.id = event.email_id,
            ?reason,
            recipients = event.to.len(),
            "mail does not reach an address, which gets no more for now"
        );
        let address = |to: &String| self.addresses.hash(&EmailKey::new(to));
        reports.extend(event.to.iter().map(|to| (address(to), report)));
        Ok(())
    }
}

/// What happened is at most as late as we heard of it: a clock that is ahead must not outlast a proof.
fn report(
    reason: Undeliverable,
    happened_at: Option<DateTime<Utc>>,
    heard_at: DateTime<Utc>,
) -> Reports {
    let at = Some(happened_at.map_or(heard_at, |at| at.min(heard_at)));
    let nothing = Reports::default();
    match reason {
        Undeliverable::Bounced | Undeliverable::Suppressed => Reports {
            bounced: at,
            ..nothing
        },
        Undeliverable::Complained => Reports {
            complained: at,
            ..nothing
        },
    }
}

#[cfg(test)]
mod tests;
