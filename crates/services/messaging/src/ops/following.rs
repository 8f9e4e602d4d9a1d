//! Who follows a conversation, what a person has read of it, and where it is mentioned.

use std::collections::HashMap;

use db::{Db, TenantTx, page::Pager};
use ids::{ConversationId, MessageId, TenantScope, UserId};
use proto::messaging::v1::{
    ListMentionsResponse, ListParticipantsResponse, MarkReadResponse, Mention,
};

use crate::{
    error::Error,
    ops::{changes::require_agents, lists::Ask, sight::Sight, view},
    store::{messages, participants, reads},
};

pub(crate) async fn add_participants(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    id: ConversationId,
    users: Vec<UserId>,
) -> Result<ListParticipantsResponse, Error> {
    let (now, of) = (db.clock().now(), scope.organization_id);
    let mut tx = TenantTx::begin(db, scope).await?;
    let id = sight
        .conversation(tx.conn(), of, id, "conversation")
        .await?;
    require_agents(tx.conn(), of, &users).await?;
    participants::add(tx.conn(), of, id, &users, now).await?;
    let answer = list(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(answer)
}

pub(crate) async fn remove_participant(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    id: ConversationId,
    user: UserId,
) -> Result<ListParticipantsResponse, Error> {
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let id = sight
        .conversation(tx.conn(), of, id, "conversation")
        .await?;
    participants::remove(tx.conn(), of, id, user).await?;
    let answer = list(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(answer)
}

pub(crate) async fn list_participants(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    id: ConversationId,
) -> Result<ListParticipantsResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let id = sight
        .conversation(tx.conn(), scope.organization_id, id, "conversation")
        .await?;
    list(&mut tx, scope, id).await
}

async fn list(
    tx: &mut TenantTx,
    scope: &TenantScope,
    id: ConversationId,
) -> Result<ListParticipantsResponse, Error> {
    let users = participants::list(tx.conn(), scope.organization_id, id).await?;
    Ok(ListParticipantsResponse {
        user_ids: users.iter().map(UserId::to_string).collect(),
    })
}

/// The caller has read everything in the conversation.
pub(crate) async fn mark_read(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    id: ConversationId,
) -> Result<MarkReadResponse, Error> {
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let id = sight
        .conversation(tx.conn(), of, id, "conversation")
        .await?;
    let user = view::person(scope).ok_or(Error::PersonWanted)?;
    reads::mark(tx.conn(), of, id, user, db.clock().now()).await?;
    tx.commit().await?;
    Ok(MarkReadResponse {})
}

/// Notes that mention the caller, newest first.
pub(crate) async fn list_mentions(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    unread_only: bool,
    ask: Ask<'_>,
) -> Result<ListMentionsResponse, Error> {
    let user = view::person(scope).ok_or(Error::PersonWanted)?;
    let pager = Pager::<MessageId>::new("mentions", &unread_only, ask.size, ask.token)?;
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let after = pager.after().copied();
    let limit = pager.limit();
    let rows = reads::list_mentions(
        tx.conn(),
        of,
        user,
        unread_only,
        sight.reach(),
        after,
        limit,
    )
    .await?;
    let page = pager.page(rows, |last| last.message_id);
    let ids: Vec<MessageId> = page.items.iter().map(|row| row.message_id).collect();
    let notes = messages::find_many(tx.conn(), of, &ids).await?;
    let mut notes: HashMap<MessageId, messages::Message> =
        notes.into_iter().map(|note| (note.id, note)).collect();
    let mut mentions = Vec::with_capacity(page.items.len());
    for row in page.items {
        mentions.push(Mention {
            conversation_id: row.conversation_id.to_string(),
            note: notes
                .remove(&row.message_id)
                .map(view::message)
                .transpose()?,
            read_at: row.read_at.map(Into::into),
        });
    }
    Ok(ListMentionsResponse {
        mentions,
        next_page_token: page.next.unwrap_or_default(),
    })
}
