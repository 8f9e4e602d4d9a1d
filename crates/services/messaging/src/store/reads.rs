//! `conversation_reads` and `mentions`: what a person has seen, and what it was asked to look at.

use chrono::{DateTime, Utc};
use ids::{ConversationId, MessageId, OrganizationId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::conversations::Reach;

/// A person has read everything up to now.
pub(crate) async fn mark(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.conversation_reads as r
             (organization_id, conversation_id, user_id, read_count, read_at)
         select organization_id, id, $3, inbound_count, $4 from messaging.conversations
         where organization_id = $1 and id = $2
         on conflict (organization_id, conversation_id, user_id) do update
             set read_count = greatest(r.read_count, excluded.read_count), read_at = excluded.read_at",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        user.as_uuid(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.mentions set read_at = $4
         where organization_id = $1 and conversation_id = $2 and user_id = $3 and read_at is null",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        user.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A note asks these people to look at it.
pub(crate) async fn mention(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    message_id: MessageId,
    users: &[UserId],
) -> sqlx::Result<()> {
    let users: Vec<Uuid> = users.iter().map(|user| user.as_uuid()).collect();
    sqlx::query!(
        "insert into messaging.mentions (organization_id, user_id, message_id, conversation_id)
         select $1, u, $3, $2 from unnest($4::uuid[]) u",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        message_id.as_uuid(),
        &users,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A note in which somebody is mentioned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mention {
    pub(crate) message_id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) read_at: Option<DateTime<Utc>>,
}

/// Newest first, before `before`, in conversations within reach.
pub(crate) async fn list_mentions(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    user: UserId,
    unread_only: bool,
    reach: Option<&Reach>,
    before: Option<MessageId>,
    limit: i64,
) -> sqlx::Result<Vec<Mention>> {
    let (person, teams) = Reach::parts(reach);
    sqlx::query_as!(
        Mention,
        r#"select m.message_id as "message_id: MessageId", m.conversation_id as "conversation_id: ConversationId",
                  m.read_at
           from messaging.mentions m
           join messaging.conversations c on c.organization_id = m.organization_id and c.id = m.conversation_id
           where m.organization_id = $1 and m.user_id = $2 and ($3::uuid is null or m.message_id < $3)
             and (not $4 or m.read_at is null)
             and ($7::uuid[] is null or c.assignee_id = $6 or c.team_id = any($7)
                  or exists (select from messaging.conversation_participants p
                             where p.organization_id = c.organization_id and p.conversation_id = c.id
                               and p.user_id = $6))
           order by m.message_id desc limit $5"#,
        organization_id.as_uuid(),
        user.as_uuid(),
        before.map(MessageId::as_uuid),
        unread_only,
        limit,
        person,
        teams.as_deref(),
    )
    .fetch_all(conn)
    .await
}
