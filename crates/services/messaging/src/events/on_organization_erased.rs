//! Consumes `OrganizationErased`: what is kept of the organization goes, as a job, because it may be much.

use bus::{BatchHandler, Delivery, HandlerError, ItemOutcome, Subscription};
use clock::Clock;
use db::{SystemTx, jobs};
use ids::OrganizationId;
use proto::identity::events::v1::OrganizationErased;

use crate::jobs::erase_organization;

/// What it listens to.
pub(crate) const SUBSCRIPTION: Subscription = Subscription {
    queue: "messaging.on-organization-erased",
    exchange: "identity.events",
    routing_key: "identity.organization.erased.v1",
};

/// The handler.
#[derive(Debug)]
pub(crate) struct OnOrganizationErased {
    pub(crate) clock: Clock,
}

impl BatchHandler for OnOrganizationErased {
    async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, HandlerError> {
        let now = self.clock.now();
        let mut due = Vec::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            let organization = delivery
                .decode::<OrganizationErased>()
                .map(|erased| erased.organization_id.parse::<OrganizationId>());
            outcomes.push(match organization {
                Ok(Ok(id)) => {
                    due.push(erase_organization::job(id, now));
                    ItemOutcome::Done
                }
                Ok(Err(error)) => ItemOutcome::dead(&error),
                Err(error) => ItemOutcome::dead(&error),
            });
        }
        jobs::push(tx, &due).await?;
        Ok(outcomes)
    }
}
