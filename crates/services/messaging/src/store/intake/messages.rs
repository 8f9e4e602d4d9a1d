//! Inbound messages of a batch.

use chrono::{DateTime, Utc};
use ids::{ContactId, ConversationId, MessageId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::contacts::{Identity, identities};
use crate::{domain::status::Status, store::routes::Route};

/// One inbound message to store.
#[derive(Debug)]
pub(crate) struct Inbound<'a> {
    pub(crate) route: Route,
    pub(crate) id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) contact_id: ContactId,
    /// What it was written from.
    pub(crate) identity: Option<&'a Identity>,
    /// switchboard.messaging.v1.MessageContent, proto3 JSON.
    pub(crate) content: Value,
    pub(crate) wamid: &'a str,
    pub(crate) reply_to_wamid: Option<&'a str>,
    pub(crate) sent_at: DateTime<Utc>,
}

/// Stores the messages. A reply is linked to the message it answers where we have that.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    messages: &[Inbound<'_>],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = messages
        .iter()
        .map(|m| m.route.organization_id.as_uuid())
        .collect();
    let ids: Vec<Uuid> = messages.iter().map(|m| m.id.as_uuid()).collect();
    let conversations: Vec<Uuid> = messages
        .iter()
        .map(|m| m.conversation_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = messages
        .iter()
        .map(|m| m.route.channel_id.as_uuid())
        .collect();
    let contacts: Vec<Uuid> = messages.iter().map(|m| m.contact_id.as_uuid()).collect();
    let contents: Vec<&Value> = messages.iter().map(|m| &m.content).collect();
    let wamids: Vec<String> = messages.iter().map(|m| m.wamid.to_owned()).collect();
    let replies: Vec<Option<String>> = messages
        .iter()
        .map(|m| m.reply_to_wamid.map(str::to_owned))
        .collect();
    let times: Vec<DateTime<Utc>> = messages.iter().map(|m| m.sent_at).collect();
    let (kinds, values) = identities(messages.iter().map(|m| m.identity));
    sqlx::query!(
        "insert into messaging.messages
             (organization_id, id, conversation_id, channel_id, contact_id, direction, status, status_at,
              content, wamid, reply_to_message_id, author, created_at, sent_at, identity_kind, identity_value)
         select o, i, v, h, t, 1, $11, $10, b, w, k.message_id, 'contact', $10, at, ik, iv
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::jsonb[], $7::text[],
                     $8::text[], $9::timestamptz[], $12::text[], $13::text[]) as m(o, i, v, h, t, b, w, r, at, ik, iv)
         left join messaging.message_keys k on k.organization_id = o and k.channel_id = h and k.wamid = r",
        &organizations,
        &ids,
        &conversations,
        &channels,
        &contacts,
        &contents as &[&Value],
        &wamids,
        &replies as &[Option<String>],
        &times,
        now,
        Status::Received.rank(),
        &kinds as &[Option<&str>],
        &values as &[Option<&str>],
    )
    .execute(conn)
    .await?;
    Ok(())
}
