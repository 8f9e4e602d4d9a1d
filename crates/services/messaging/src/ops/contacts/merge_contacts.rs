//! MergeContacts and ListMerges: two contacts become one.

use db::{
    AsTx, Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
    page::Pager,
};
use errors::FieldViolation;
use ids::{ContactId, MergeId, TenantScope};
use proto::messaging::v1::{ListMergesResponse, Merge, MergeContactsResponse};

use super::{kept, read};
use crate::{
    error::Error,
    events::publish,
    ops::{lists::Ask, view},
    store::merges::{self, Order},
};

/// The other contact becomes part of this one. Ids of contacts that were merged stand for what they lead to.
pub(crate) async fn merge_contacts(
    db: &Db,
    scope: &TenantScope,
    contact_id: ContactId,
    other_id: ContactId,
    key: Option<(String, RequestHash)>,
) -> Result<MergeContactsResponse, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &key {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "MergeContacts", key, *hash).await? {
                Outcome::Replay(answer) => {
                    let merge_id = String::from_utf8(answer).unwrap_or_default();
                    let contact = read(&mut tx, organization_id, contact_id).await?;
                    return Ok(MergeContactsResponse {
                        contact: Some(contact),
                        merge_id,
                    });
                }
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    let contact_id = kept(&mut tx, organization_id, contact_id).await?;
    let other_id = kept(&mut tx, organization_id, other_id).await?;
    if contact_id == other_id {
        let fault = "must be another contact, and not part of this one already";
        let fault = FieldViolation::new("otherContactId", fault.to_owned());
        return Err(Error::Invalid(vec![fault]));
    }
    let merge_id = store(&mut tx, scope, contact_id, other_id).await?;
    if let Some(guard) = guard {
        let id = merge_id.to_string();
        guard.store(&mut tx, id.as_bytes()).await?;
    }
    let contact = read(&mut tx, organization_id, contact_id).await?;
    tx.commit().await?;
    Ok(MergeContactsResponse {
        contact: Some(contact),
        merge_id: merge_id.to_string(),
    })
}

async fn store(
    tx: &mut TenantTx,
    scope: &TenantScope,
    contact_id: ContactId,
    other_id: ContactId,
) -> Result<MergeId, Error> {
    let organizations = [scope.organization_id.as_uuid(); 2];
    let pair = [contact_id.as_uuid(), other_id.as_uuid()];
    if merges::lock(tx.conn(), &organizations, &pair).await?.len() < 2 {
        // Somebody merged one of them in this moment.
        return Err(Error::ContactChanged);
    }
    let now = tx.db().clock().now();
    let actor = scope.actor.to_string();
    let order = Order {
        organization_id: scope.organization_id,
        id: MergeId::stamped(now),
        kept: contact_id,
        other: other_id,
        reason: "manual",
        actor: &actor,
        now,
    };
    merges::merge(tx.conn(), &order).await?;
    outbox::push(tx, &[publish::merged(&order)]).await?;
    Ok(order.id)
}

pub(crate) async fn list_merges(
    db: &Db,
    scope: &TenantScope,
    contact_id: ContactId,
    ask: Ask<'_>,
) -> Result<ListMergesResponse, Error> {
    let organization_id = scope.organization_id;
    let pager = Pager::<i64>::new("contact_merges", &contact_id, ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let contact_id = kept(&mut tx, organization_id, contact_id).await?;
    let after = pager.after().copied();
    let rows = merges::list(tx.conn(), organization_id, contact_id, after, pager.limit()).await?;
    let page = pager.page(rows, |last| last.position).map(merge);
    Ok(ListMergesResponse {
        merges: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

fn merge(row: merges::Merge) -> Merge {
    Merge {
        id: row.id.to_string(),
        kept_contact_id: row.kept_id.to_string(),
        merged_contact_id: row.merged_id.to_string(),
        reason: row.reason,
        actor: row.actor,
        merged_at: Some(row.merged_at.into()),
        undone_at: row.undone_at.map(Into::into),
    }
}

/// The merge of a request; a wrong id names its field.
pub(crate) fn merge_id(text: &str) -> Result<MergeId, Error> {
    view::id("mergeId", text)
}
