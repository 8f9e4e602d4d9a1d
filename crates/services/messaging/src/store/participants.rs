//! `conversation_participants`: who follows a conversation.

use chrono::{DateTime, Utc};
use ids::{ConversationId, OrganizationId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Who follows it already, stays as it is.
pub(crate) async fn add(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    users: &[UserId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let users: Vec<Uuid> = users.iter().map(|user| user.as_uuid()).collect();
    sqlx::query!(
        "insert into messaging.conversation_participants (organization_id, conversation_id, user_id, added_at)
         select $1, $2, u, $4 from unnest($3::uuid[]) u order by u on conflict do nothing",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        &users,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who does not follow it, goes on not to.
pub(crate) async fn remove(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.conversation_participants
         where organization_id = $1 and conversation_id = $2 and user_id = $3",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        user.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person follows nothing any more.
pub(crate) async fn remove_everywhere(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    user: UserId,
    limit: i64,
) -> sqlx::Result<u64> {
    let gone = sqlx::query!(
        "delete from messaging.conversation_participants
         where organization_id = $1 and user_id = $2 and conversation_id = any(array(
             select conversation_id from messaging.conversation_participants
             where organization_id = $1 and user_id = $2 limit $3))",
        organization_id.as_uuid(),
        user.as_uuid(),
        limit,
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}

/// In the order in which they came.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from messaging.conversation_participants
           where organization_id = $1 and conversation_id = $2 order by added_at, user_id"#,
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
    )
    .fetch_all(conn)
    .await
}
