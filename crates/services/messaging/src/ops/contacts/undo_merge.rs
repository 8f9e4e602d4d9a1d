//! UndoMerge: one contact becomes two again.

use std::collections::BTreeSet;

use db::{
    AsTx, Db, TenantTx,
    outbox::{self, Event},
};
use ids::{ConversationId, MergeId, OrganizationId, TenantScope};
use proto::messaging::v1::{MessageContent, UndoMergeResponse};

use super::read;
use crate::{
    domain::content::preview,
    error::Error,
    events::publish,
    store::{
        contacts, conversations,
        merges::{self, Merge, moves, record::Moved, since},
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
    let mut heads: BTreeSet<ConversationId> = left.into_iter().collect();
    let mut events = vec![publish::undone(scope, &merge, now)];
    events.extend(bring_home(&mut tx, scope, &merge, &mut heads).await?);
    for conversation_id in heads {
        set_head(&mut tx, organization_id, conversation_id).await?;
    }
    let said =
        since::part_consents(tx.conn(), organization_id, &merge, &moved, &actor, now).await?;
    let told = said
        .iter()
        .map(|consent| publish::consent_changed(organization_id, consent));
    events.extend(told);
    let mut kept = contacts::find(tx.conn(), organization_id, merge.kept_id)
        .await?
        .ok_or(Error::NotFound("contact"))?;
    moved.said.take_back(&mut kept);
    contacts::update(tx.conn(), organization_id, &kept, now).await?;
    outbox::push(&mut tx, &events).await?;
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

/// What was received since the merge goes into conversations of who wrote it, which are opened where there are none. Those
/// that were touched are added to `heads`.
async fn bring_home(
    tx: &mut TenantTx,
    scope: &TenantScope,
    merge: &Merge,
    heads: &mut BTreeSet<ConversationId>,
) -> Result<Vec<Event>, Error> {
    let (of, now) = (scope.organization_id, tx.db().clock().now());
    let mut events = Vec::new();
    for (channel_id, owner) in since::astray(tx.conn(), of, merge).await? {
        let fresh = ConversationId::stamped(now);
        let (home, created) =
            conversations::open(tx.conn(), of, channel_id, owner, None, fresh, now).await?;
        if created {
            let opened = publish::conversation_opened(scope, home, channel_id, owner, now);
            events.push(opened);
        }
        let left = since::bring_home(tx.conn(), of, merge, channel_id, (owner, home)).await?;
        heads.extend(left);
        heads.insert(home);
    }
    Ok(events)
}

/// The line of the newest message that is left.
async fn set_head(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ConversationId,
) -> Result<(), Error> {
    let line = match moves::find_newest(tx.conn(), organization_id, id).await? {
        Some(content) => {
            let content: MessageContent =
                serde_json::from_value(content).map_err(|source| Error::Inconsistent {
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
