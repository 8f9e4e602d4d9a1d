//! Notes and activities: rows of `messages` that go nowhere.

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, MessageId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::status::Status;

/// `messages.direction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum Direction {
    /// What the team says among itself.
    Note = 3,
    /// What was done.
    Activity = 4,
}

/// One line of a conversation's stream that is nobody's message.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) organization_id: OrganizationId,
    pub(crate) id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) direction: Direction,
    /// switchboard.messaging.v1.MessageContent, proto3 JSON.
    pub(crate) content: Value,
    pub(crate) author: String,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = entries
        .iter()
        .map(|e| e.organization_id.as_uuid())
        .collect();
    let ids: Vec<Uuid> = entries.iter().map(|e| e.id.as_uuid()).collect();
    let conversations: Vec<Uuid> = entries
        .iter()
        .map(|e| e.conversation_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = entries.iter().map(|e| e.channel_id.as_uuid()).collect();
    let contacts: Vec<Uuid> = entries.iter().map(|e| e.contact_id.as_uuid()).collect();
    let directions: Vec<i16> = entries.iter().map(|e| e.direction as i16).collect();
    let contents: Vec<&Value> = entries.iter().map(|e| &e.content).collect();
    let authors: Vec<String> = entries.iter().map(|e| e.author.clone()).collect();
    sqlx::query!(
        "insert into messaging.messages
             (organization_id, id, conversation_id, channel_id, contact_id, direction, status, status_at, content,
              author, created_at, sent_at)
         select o, i, v, h, t, d, $10, $9, b, a, $9, date_trunc('second', $9::timestamptz)
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[], $7::jsonb[],
                     $8::text[]) as e(o, i, v, h, t, d, b, a)",
        &organizations,
        &ids,
        &conversations,
        &channels,
        &contacts,
        &directions,
        &contents as &[&Value],
        &authors,
        now,
        Status::Recorded.rank(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
