//! `labels` and `conversation_labels`.

use chrono::{DateTime, Utc};
use db::DbError;
use ids::{ConversationId, LabelId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Error;

#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) id: LabelId,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    label: &Label,
) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "insert into messaging.labels (organization_id, id, name, color, created_at) values ($1, $2, $3, $4, $5)",
        organization_id.as_uuid(),
        label.id.as_uuid(),
        label.name,
        label.color,
        label.created_at,
    )
    .execute(conn)
    .await;
    inserted.map(drop).map_err(name_taken)
}

/// The label as it is now; `None` when there is none.
pub(crate) async fn update(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: LabelId,
    name: &str,
    color: &str,
) -> Result<Option<Label>, Error> {
    let updated = sqlx::query_as!(
        Label,
        r#"update messaging.labels set name = $3, color = $4 where organization_id = $1 and id = $2
           returning id as "id: LabelId", name, color, created_at"#,
        organization_id.as_uuid(),
        id.as_uuid(),
        name,
        color,
    )
    .fetch_optional(conn)
    .await;
    updated.map_err(name_taken)
}

fn name_taken(error: sqlx::Error) -> Error {
    let error = DbError::from(error);
    match error.constraint() {
        Some("labels_name_key") => Error::NameTaken,
        _ => error.into(),
    }
}

/// Deletes the label and takes it off everything; `false` when there is none.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: LabelId,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from messaging.labels where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() == 1)
}

/// By name, after the position `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    after: Option<&(String, LabelId)>,
    limit: i64,
) -> sqlx::Result<Vec<Label>> {
    sqlx::query_as!(
        Label,
        r#"select id as "id: LabelId", name, color, created_at from messaging.labels
           where organization_id = $1 and ($2::text is null or (name, id) > ($2, $3::uuid))
           order by name, id limit $4"#,
        organization_id.as_uuid(),
        after.map(|(name, _)| name.as_str()),
        after.map(|(_, id)| id.as_uuid()),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Whether all of them exist; they stay until the end of the transaction.
pub(crate) async fn exist(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    ids: &[LabelId],
) -> sqlx::Result<bool> {
    if ids.is_empty() {
        return Ok(true);
    }
    let wanted = uuids(ids);
    let found = sqlx::query_scalar!(
        "select id from messaging.labels where organization_id = $1 and id = any($2) order by id for key share",
        organization_id.as_uuid(),
        &wanted,
    )
    .fetch_all(conn)
    .await?;
    Ok(wanted.iter().all(|id| found.contains(id)))
}

/// Makes these the labels of a conversation that is locked.
pub(crate) async fn put(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversation_id: ConversationId,
    ids: &[LabelId],
) -> sqlx::Result<()> {
    let ids = uuids(ids);
    sqlx::query!(
        "delete from messaging.conversation_labels
         where organization_id = $1 and conversation_id = $2 and not (label_id = any($3))",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        &ids,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into messaging.conversation_labels (organization_id, conversation_id, label_id)
         select $1, $2, l from unnest($3::uuid[]) l on conflict do nothing",
        organization_id.as_uuid(),
        conversation_id.as_uuid(),
        &ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn uuids(ids: &[LabelId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.as_uuid()).collect()
}
