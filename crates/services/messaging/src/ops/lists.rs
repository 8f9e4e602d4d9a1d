//! Reads: single resources and pages. Each is one short transaction of the tenant.

use chrono::{DateTime, Utc};
use db::{Db, SystemTx, TenantTx, page::Pager};
use ids::{ChannelId, ContactId, ConversationId, MessageId, NoticeId, QuarantineId, TenantScope};
use proto::messaging::v1::{
    Channel, Contact, Conversation, ConversationFilter, ListChannelNoticesResponse,
    ListChannelsResponse, ListContactsResponse, ListConversationsResponse, ListMessagesResponse,
    ListQuarantineResponse, Message,
};

use crate::{
    error::Error,
    ops::{filter, sight::Sight, view},
    store::{channels, contacts, conversations, messages, notices, quarantine},
};

/// Size and token of the page wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) size: u32,
    pub(crate) token: &'a str,
}

pub(crate) async fn get_channel(
    db: &Db,
    scope: &TenantScope,
    id: ChannelId,
) -> Result<Channel, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let found = channels::find(tx.conn(), scope.organization_id, id).await?;
    found.map(view::channel).ok_or(Error::NotFound("channel"))
}

pub(crate) async fn list_channels(
    db: &Db,
    scope: &TenantScope,
    ask: Ask<'_>,
) -> Result<ListChannelsResponse, Error> {
    let pager = Pager::<ChannelId>::new("channels", &(), ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let rows = channels::list(
        tx.conn(),
        scope.organization_id,
        pager.after().copied(),
        pager.limit(),
    )
    .await?;
    let page = pager.page(rows, |last| last.id).map(view::channel);
    Ok(ListChannelsResponse {
        channels: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

pub(crate) async fn list_channel_notices(
    db: &Db,
    scope: &TenantScope,
    channel_id: ChannelId,
    ask: Ask<'_>,
) -> Result<ListChannelNoticesResponse, Error> {
    let pager = Pager::<NoticeId>::new("channel_notices", &channel_id, ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let organization_id = scope.organization_id;
    channels::find(tx.conn(), organization_id, channel_id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    let after = pager.after().copied();
    let rows = notices::list(tx.conn(), organization_id, channel_id, after, pager.limit()).await?;
    let page = pager.page(rows, |last| last.id).map(view::notice);
    Ok(ListChannelNoticesResponse {
        notices: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

pub(crate) async fn get_contact(
    db: &Db,
    scope: &TenantScope,
    id: ContactId,
) -> Result<Contact, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    super::contacts::read(&mut tx, scope.organization_id, id).await
}

pub(crate) async fn list_contacts(
    db: &Db,
    scope: &TenantScope,
    ask: Ask<'_>,
) -> Result<ListContactsResponse, Error> {
    let pager = Pager::<ContactId>::new("contacts", &(), ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let rows = contacts::list(
        tx.conn(),
        scope.organization_id,
        pager.after().copied(),
        pager.limit(),
    )
    .await?;
    let page = pager.page(rows, |last| last.id);
    Ok(ListContactsResponse {
        contacts: super::contacts::views(&mut tx, scope.organization_id, page.items).await?,
        next_page_token: page.next.unwrap_or_default(),
    })
}

pub(crate) async fn get_conversation(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    id: ConversationId,
) -> Result<Conversation, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    sight
        .within(tx.conn(), scope.organization_id, id, "conversation")
        .await?;
    read_conversation(&mut tx, db, scope, id).await
}

/// A conversation as the caller reads it, whether or not it is within the caller's reach.
pub(crate) async fn read_conversation(
    tx: &mut TenantTx,
    db: &Db,
    scope: &TenantScope,
    id: ConversationId,
) -> Result<Conversation, Error> {
    let reader = view::person(scope);
    let found = conversations::find(tx.conn(), scope.organization_id, reader, id).await?;
    found
        .map(|conversation| view::conversation(conversation, db.clock().now()))
        .ok_or(Error::NotFound("conversation"))
}

pub(crate) async fn list_conversations(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    wanted: ConversationFilter,
    ask: Ask<'_>,
) -> Result<ListConversationsResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let filter = filter::read(tx.conn(), scope, &wanted).await?;
    let pager = Pager::<(DateTime<Utc>, ConversationId)>::new(
        "conversations",
        &filter,
        ask.size,
        ask.token,
    )?;
    let place = conversations::Ask {
        organization_id: scope.organization_id,
        reader: view::person(scope),
        reach: sight.reach(),
        after: pager.after().copied(),
        limit: pager.limit(),
    };
    let rows = conversations::list(tx.conn(), place, &filter).await?;
    let now = db.clock().now();
    let page = pager
        .page(rows, |last| (last.last_message_at, last.id))
        .map(|row| view::conversation(row, now));
    Ok(ListConversationsResponse {
        conversations: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

pub(crate) async fn get_message(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    id: MessageId,
) -> Result<Message, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    read_message(&mut tx, scope, sight, id).await
}

/// A message of a conversation within the caller's reach.
pub(crate) async fn read_message(
    tx: &mut TenantTx,
    scope: &TenantScope,
    sight: &Sight,
    id: MessageId,
) -> Result<Message, Error> {
    let found = messages::find(tx.conn(), scope.organization_id, id)
        .await?
        .ok_or(Error::NotFound("message"))?;
    sight
        .within(
            tx.conn(),
            scope.organization_id,
            found.conversation_id,
            "message",
        )
        .await?;
    view::message(found)
}

pub(crate) async fn list_messages(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    conversation_id: ConversationId,
    ask: Ask<'_>,
) -> Result<ListMessagesResponse, Error> {
    let pager = Pager::<(DateTime<Utc>, MessageId)>::new(
        "messages",
        &conversation_id,
        ask.size,
        ask.token,
    )?;
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let conversation_id = sight
        .conversation(tx.conn(), organization_id, conversation_id, "conversation")
        .await?;
    let after = pager.after().copied();
    let rows = messages::list(
        tx.conn(),
        organization_id,
        conversation_id,
        after,
        pager.limit(),
    )
    .await?;
    let page = pager.page(rows, |last| (last.sent_at, last.id));
    Ok(ListMessagesResponse {
        messages: page
            .items
            .into_iter()
            .map(view::message)
            .collect::<Result<_, _>>()?,
        next_page_token: page.next.unwrap_or_default(),
    })
}

/// For operators: it belongs to no tenant.
pub(crate) async fn list_quarantine(
    db: &Db,
    ask: Ask<'_>,
) -> Result<ListQuarantineResponse, Error> {
    let pager = Pager::<QuarantineId>::new("quarantine", &(), ask.size, ask.token)?;
    let mut tx = SystemTx::begin(db, "an operator reads the quarantine").await?;
    let rows = quarantine::list(tx.conn(), pager.after().copied(), pager.limit()).await?;
    let page = pager.page(rows, |last| last.id).map(view::quarantined);
    Ok(ListQuarantineResponse {
        items: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}
