//! `views`: saved filters.

use chrono::{DateTime, Utc};
use ids::{OrganizationId, UserId, ViewId};
use serde_json::Value;
use sqlx::PgConnection;

#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) id: ViewId,
    pub(crate) owner_id: UserId,
    pub(crate) shared: bool,
    pub(crate) name: String,
    /// switchboard.messaging.v1.ConversationFilter, proto3 JSON.
    pub(crate) filter: Value,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    view: &View,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.views (organization_id, id, owner_id, shared, name, filter, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        organization_id.as_uuid(),
        view.id.as_uuid(),
        view.owner_id.as_uuid(),
        view.shared,
        view.name,
        view.filter,
        view.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The owner's view as it is now; `None` when the person has no such view.
pub(crate) async fn update(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    owner: UserId,
    id: ViewId,
    name: &str,
    filter: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<View>> {
    sqlx::query_as!(
        View,
        r#"update messaging.views set name = $4, filter = $5, updated_at = $6
           where organization_id = $1 and id = $2 and owner_id = $3
           returning id as "id: ViewId", owner_id as "owner_id: UserId", shared, name, filter, created_at"#,
        organization_id.as_uuid(),
        id.as_uuid(),
        owner.as_uuid(),
        name,
        filter,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// As [`update`], also for a view of somebody else that is shared. `caller` is `None` for a program.
pub(crate) async fn share(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    caller: Option<UserId>,
    id: ViewId,
    shared: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<View>> {
    sqlx::query_as!(
        View,
        r#"update messaging.views set shared = $4, updated_at = $5
           where organization_id = $1 and id = $2 and (shared or owner_id = $3)
           returning id as "id: ViewId", owner_id as "owner_id: UserId", shared, name, filter, created_at"#,
        organization_id.as_uuid(),
        id.as_uuid(),
        caller.map(UserId::as_uuid),
        shared,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// `false` when the person has no such view.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    owner: UserId,
    id: ViewId,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from messaging.views where organization_id = $1 and id = $2 and owner_id = $3",
        organization_id.as_uuid(),
        id.as_uuid(),
        owner.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() == 1)
}

/// The caller's and the shared ones, by name, after the position `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    caller: Option<UserId>,
    after: Option<&(String, ViewId)>,
    limit: i64,
) -> sqlx::Result<Vec<View>> {
    sqlx::query_as!(
        View,
        r#"select id as "id: ViewId", owner_id as "owner_id: UserId", shared, name, filter, created_at
           from messaging.views
           where organization_id = $1 and (shared or owner_id = $2)
             and ($3::text is null or (name, id) > ($3, $4::uuid))
           order by name, id limit $5"#,
        organization_id.as_uuid(),
        caller.map(UserId::as_uuid),
        after.map(|(name, _)| name.as_str()),
        after.map(|(_, id)| id.as_uuid()),
        limit,
    )
    .fetch_all(conn)
    .await
}
