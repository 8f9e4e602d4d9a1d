//! Two contacts that WhatsApp shows to be one person become one.
//!
//! One message may carry a user id and a phone number that lead to different contacts: somebody who was known by the
//! number only, and wrote while the number was hidden. WhatsApp vouches that both are one account now. A number can
//! change hands though, so nothing is merged where the contacts have user ids that differ, or where the message tells of
//! a change of number: whoever is known by the new one may be its former owner. What a person took apart stays apart.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::outbox::Event;
use ids::{ContactId, MergeId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Met, told};
use crate::{
    events::publish,
    store::{
        intake::contacts::{self, Identity, Known},
        merges::{self, Order},
    },
};

/// Merges them into the older one. The events of the merges that were done.
pub(super) async fn link(
    conn: &mut PgConnection,
    met: &[Met<'_>],
    known: &HashMap<Identity, Known>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Event>> {
    let pairs = pairs(met, known);
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let whole = lock(conn, known).await?;
    let mut leads: HashMap<ContactId, ContactId> = HashMap::new();
    let mut events = Vec::new();
    for (of, one, other) in pairs {
        let lead =
            |id: ContactId| std::iter::successors(Some(id), |id| leads.get(id).copied()).last();
        let (Some(one), Some(other)) = (lead(one), lead(other)) else {
            continue;
        };
        let differ = one != other && whole.contains(&one) && whole.contains(&other);
        if !differ
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
fn pairs(
    met: &[Met<'_>],
    known: &HashMap<Identity, Known>,
) -> BTreeSet<(OrganizationId, ContactId, ContactId)> {
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

/// Everybody whom the batch knows, in one statement and one order: locks taken in two steps could wait for each other.
async fn lock(
    conn: &mut PgConnection,
    known: &HashMap<Identity, Known>,
) -> sqlx::Result<HashSet<ContactId>> {
    let (organizations, ids): (Vec<Uuid>, Vec<Uuid>) = known
        .iter()
        .map(|(identity, known)| {
            (
                identity.organization_id.as_uuid(),
                known.contact_id.as_uuid(),
            )
        })
        .unzip();
    let whole = merges::lock(conn, &organizations, &ids).await?;
    Ok(whole.into_iter().collect())
}

#[cfg(test)]
mod tests;
