//! `canned_replies`: answers saved under a shortcut.

use chrono::{DateTime, Utc};
use db::DbError;
use ids::{CannedReplyId, OrganizationId};
use sqlx::PgConnection;

use crate::error::Error;

#[derive(Debug, Clone)]
pub(crate) struct CannedReply {
    pub(crate) id: CannedReplyId,
    pub(crate) shortcut: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    reply: &CannedReply,
) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "insert into messaging.canned_replies
             (organization_id, id, shortcut, title, body, created_at, updated_at, version)
         values ($1, $2, $3, $4, $5, $6, $6, $7)",
        organization_id.as_uuid(),
        reply.id.as_uuid(),
        reply.shortcut,
        reply.title,
        reply.body,
        reply.updated_at,
        reply.version,
    )
    .execute(conn)
    .await;
    inserted.map(drop).map_err(shortcut_taken)
}

fn shortcut_taken(error: sqlx::Error) -> Error {
    let error = DbError::from(error);
    match error.constraint() {
        Some("canned_replies_shortcut_key") => Error::NameTaken,
        _ => error.into(),
    }
}

/// Locked until the end of the transaction.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: CannedReplyId,
) -> sqlx::Result<Option<CannedReply>> {
    sqlx::query_as!(
        CannedReply,
        r#"select id as "id: CannedReplyId", shortcut, title, body, updated_at, version
           from messaging.canned_replies where organization_id = $1 and id = $2 for update"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Writes a locked one.
pub(crate) async fn update(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    reply: &CannedReply,
) -> Result<(), Error> {
    let updated = sqlx::query!(
        "update messaging.canned_replies set shortcut = $3, title = $4, body = $5, updated_at = $6, version = $7
         where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        reply.id.as_uuid(),
        reply.shortcut,
        reply.title,
        reply.body,
        reply.updated_at,
        reply.version,
    )
    .execute(conn)
    .await;
    updated.map(drop).map_err(shortcut_taken)
}

/// `false` when there is none.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: CannedReplyId,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from messaging.canned_replies where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Those whose shortcut begins so, by shortcut, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    beginning: &str,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<CannedReply>> {
    sqlx::query_as!(
        CannedReply,
        r#"select id as "id: CannedReplyId", shortcut, title, body, updated_at, version
           from messaging.canned_replies
           where organization_id = $1 and starts_with(shortcut, $2) and shortcut >= $2
             and ($3::text is null or shortcut > $3)
           order by shortcut limit $4"#,
        organization_id.as_uuid(),
        beginning,
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}
