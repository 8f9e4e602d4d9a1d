//! `messages`, read and written one by one. Batches of webhooks are in [`super::intake`].

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, MessageId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;

use crate::domain::status::Status;

/// A stored message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) direction: i16,
    pub(crate) status: Status,
    pub(crate) status_at: DateTime<Utc>,
    pub(crate) content: Value,
    pub(crate) wamid: Option<String>,
    pub(crate) reply_to_message_id: Option<MessageId>,
    pub(crate) failure: Option<Value>,
    pub(crate) author: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) sent_at: DateTime<Utc>,
}

/// Reads messages; `$rest` says which and in what order.
macro_rules! messages {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Message,
            r#"select id as "id: MessageId", conversation_id as "conversation_id: ConversationId",
                      channel_id as "channel_id: ChannelId", contact_id as "contact_id: ContactId", direction,
                      status as "status: Status", status_at, content, wamid,
                      reply_to_message_id as "reply_to_message_id: MessageId", failure, author, created_at, sent_at
               from messaging.messages "# + $rest,
            $($argument),+
        )
    };
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MessageId,
) -> sqlx::Result<Option<Message>> {
    messages!(
        "where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Those of them that exist.
pub(crate) async fn find_many(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    ids: &[MessageId],
) -> sqlx::Result<Vec<Message>> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    messages!(
        "where organization_id = $1 and id = any($2)",
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(conn)
    .await
}

/// Newest first, after the position `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    after: Option<(DateTime<Utc>, MessageId)>,
    limit: i64,
) -> sqlx::Result<Vec<Message>> {
    let (at, id) = after.unzip();
    let at = at.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let id = id.map_or(uuid::Uuid::max(), MessageId::as_uuid);
    messages!(
        "where organization_id = $1 and conversation_id = $2 and (sent_at, id) < ($3, $4)
         order by sent_at desc, id desc limit $5",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        at,
        id,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A message of this conversation that can be answered or reacted to, with WhatsApp's id of it.
pub(crate) async fn find_wamid(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    id: MessageId,
) -> sqlx::Result<Option<String>> {
    let wamid = sqlx::query_scalar!(
        "select wamid from messaging.messages where organization_id = $1 and id = $2 and conversation_id = $3",
        organization_id.as_uuid(),
        id.as_uuid(),
        conversation_id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(wamid.flatten())
}

/// A message to a customer.
#[derive(Debug)]
pub(crate) struct Outbound<'a> {
    pub(crate) id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) content: &'a Value,
    pub(crate) reply_to_message_id: Option<MessageId>,
    pub(crate) author: &'a str,
    pub(crate) expires_at: DateTime<Utc>,
}

pub(crate) async fn insert_outbound(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    message: &Outbound<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.messages
             (organization_id, id, conversation_id, channel_id, contact_id, direction, status, status_at, content,
              reply_to_message_id, author, created_at, sent_at, expires_at)
         values ($1, $2, $3, $4, $5, 2, $6, $7, $8, $9, $10, $7, date_trunc('second', $7::timestamptz), $11)",
        organization_id.as_uuid(),
        message.id.as_uuid(),
        message.conversation_id.as_uuid(),
        message.channel_id.as_uuid(),
        message.contact_id.as_uuid(),
        Status::Queued.rank(),
        now,
        message.content,
        message.reply_to_message_id.map(MessageId::as_uuid),
        message.author,
        message.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
