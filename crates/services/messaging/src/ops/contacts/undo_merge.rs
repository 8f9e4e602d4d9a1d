//! UndoMerge: one contact becomes two again.

use db::{Db, TenantTx, outbox};
use ids::{ConversationId, MergeId, OrganizationId, TenantScope};
use proto::messaging::v1::{MessageContent, UndoMergeResponse};

use super::read;
use crate::{
    domain::content::preview,
    error::Error,
    events::publish,
    store::{
        contacts,
        merges::{self, Merge, moves, record::Moved},
        messages,
    },
};

pub(crate) async fn undo_merge(
    db: &Db,
    scope: &TenantScope,
    id: MergeId,
) -> Result<UndoMergeResponse, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let (merge, moved) = lock(&mut tx, organization_id, id).await?;
    let (now, actor) = (db.clock().now(), scope.actor.to_string());
    let left = merges::undo(tx.conn(), organization_id, &merge, &moved, &actor, now).await?;
    for conversation_id in left {
        set_head(&mut tx, organization_id, conversation_id).await?;
    }
    let mut kept = contacts::find(tx.conn(), organization_id, merge.kept_id)
        .await?
        .ok_or(Error::NotFound("contact"))?;
    moved.said.take_back(&mut kept);
    contacts::update(tx.conn(), organization_id, &kept, now).await?;
    outbox::push(&mut tx, &[publish::undone(scope, &merge, now)]).await?;
    let answer = UndoMergeResponse {
        kept: Some(read(&mut tx, organization_id, merge.kept_id).await?),
        restored: Some(read(&mut tx, organization_id, merge.merged_id).await?),
    };
    tx.commit().await?;
    Ok(answer)
}

/// The merge as it is while both contacts are locked: the latest one of a contact that is itself not part of another.
async fn lock(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: MergeId,
) -> Result<(Merge, Moved), Error> {
    let missing = || Error::NotFound("merge");
    let (merge, _) = merges::find(tx.conn(), organization_id, id)
        .await?
        .ok_or_else(missing)?;
    let organizations = [organization_id.as_uuid(); 2];
    let pair = [merge.kept_id.as_uuid(), merge.merged_id.as_uuid()];
    let whole = merges::lock(tx.conn(), &organizations, &pair).await?;
    let (merge, moved) = merges::find(tx.conn(), organization_id, id)
        .await?
        .ok_or_else(missing)?;
    if merge.undone_at.is_some() {
        return Err(Error::MergeUndone);
    }
    if !whole.contains(&merge.kept_id)
        || merges::any_later(tx.conn(), organization_id, &merge).await?
    {
        return Err(Error::MergeNotLatest);
    }
    let moved = serde_json::from_value(moved).map_err(|source| Error::Inconsistent {
        table: "contact_merges",
        column: "moved",
        source,
    })?;
    Ok((merge, moved))
}

/// The line of the newest message that is left.
async fn set_head(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ConversationId,
) -> Result<(), Error> {
    let newest = messages::list(tx.conn(), organization_id, id, None, 1).await?;
    let line = match newest.into_iter().next() {
        Some(message) => {
            let content: MessageContent =
                serde_json::from_value(message.content).map_err(|source| Error::Inconsistent {
                    table: "messages",
                    column: "content",
                    source,
                })?;
            preview::line(&content)
        }
        None => String::new(),
    };
    moves::set_head(tx.conn(), organization_id, id, &line).await?;
    Ok(())
}
