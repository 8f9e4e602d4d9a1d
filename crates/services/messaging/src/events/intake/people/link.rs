//! Two contacts that WhatsApp shows to be one person become one.
//!
//! One message may carry a user id and a phone number that lead to different contacts: somebody who was known by the
//! number only, and wrote while the number was hidden. WhatsApp vouches that both are one account now. A number can
//! change hands though, so nothing is merged where the contacts have user ids that differ, or where the message tells of
//! a change of number: whoever is known by the new one may be its former owner. What a person took apart stays apart.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use db::outbox::Event;
use ids::{ContactId, MergeId, OrganizationId};
use sqlx::PgConnection;

use super::{Met, told};
use crate::{
    events::publish,
    store::{
        intake::contacts::{self, Identity, Known},
        merges::{self, Order},
    },
};

/// Two contacts of an organization.
pub(super) type Pair = (OrganizationId, ContactId, ContactId);

/// Merges locked contacts into the older one. The events of the merges that were done.
pub(super) async fn link(
    conn: &mut PgConnection,
    pairs: BTreeSet<Pair>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Event>> {
    let mut leads: HashMap<ContactId, ContactId> = HashMap::new();
    let mut events = Vec::new();
    for (of, one, other) in pairs {
        let lead =
            |id: ContactId| std::iter::successors(Some(id), |id| leads.get(id).copied()).last();
        let (Some(one), Some(other)) = (lead(one), lead(other)) else {
            continue;
        };
        if one == other
            || contacts::contradict(conn, of, one, other).await?
            || merges::was_undone(conn, of, one, other).await?
        {
            continue;
        }
        let order = Order {
            organization_id: of,
            id: MergeId::stamped(now),
            kept: one.min(other),
            other: one.max(other),
            reason: "linked",
            actor: publish::WHATSAPP,
            now,
        };
        merges::merge(conn, &order).await?;
        leads.insert(order.other, order.kept);
        events.push(publish::merged(&order));
    }
    Ok(events)
}

/// Contacts that one message leads to by what it says of its sender.
pub(super) fn pairs(met: &[Met<'_>], known: &HashMap<Identity, Known>) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for met in met.iter().filter(|met| met.sender.former.is_empty()) {
        // A username can change hands: it names a person but does not prove one.
        let proofs = told(met).filter(|identity| identity.kind != "username");
        let found: BTreeSet<ContactId> = proofs
            .filter_map(|identity| known.get(&identity))
            .map(|known| known.contact_id)
            .collect();
        let mut found = found.into_iter();
        if let Some(first) = found.next() {
            pairs.extend(found.map(|other| (met.of, first, other)));
        }
    }
    pairs
}

#[cfg(test)]
mod tests;
