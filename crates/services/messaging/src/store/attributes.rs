//! `attribute_definitions`, and the values of attributes where they concern all contacts.

use chrono::{DateTime, Utc};
use ids::OrganizationId;
use sqlx::PgConnection;

use crate::domain::attributes::Kind;

/// What an organization may note of its contacts.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) options: Vec<String>,
    pub(crate) position: i32,
    pub(crate) created_at: DateTime<Utc>,
}

/// All of them, in their order.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
) -> sqlx::Result<Vec<Definition>> {
    sqlx::query_as!(
        Definition,
        r#"select key, name, kind as "kind: Kind", options, position, created_at
           from messaging.attribute_definitions where organization_id = $1 order by position, key"#,
        organization_id.as_uuid(),
    )
    .fetch_all(conn)
    .await
}

/// Locked, so that no value is noted that it does not allow any more.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    key: &str,
) -> sqlx::Result<Option<Definition>> {
    sqlx::query_as!(
        Definition,
        r#"select key, name, kind as "kind: Kind", options, position, created_at
           from messaging.attribute_definitions where organization_id = $1 and key = $2 for update"#,
        organization_id.as_uuid(),
        key,
    )
    .fetch_optional(conn)
    .await
}

/// The definitions of these keys, held until the values that they allow are written.
pub(crate) async fn hold(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    keys: &[String],
) -> sqlx::Result<Vec<Definition>> {
    sqlx::query_as!(
        Definition,
        r#"select key, name, kind as "kind: Kind", options, position, created_at
           from messaging.attribute_definitions where organization_id = $1 and key = any($2) order by key for share"#,
        organization_id.as_uuid(),
        keys,
    )
    .fetch_all(conn)
    .await
}

/// False when the key is taken.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    definition: &Definition,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into messaging.attribute_definitions (organization_id, key, name, kind, options, position, created_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        organization_id.as_uuid(),
        definition.key,
        definition.name,
        definition.kind.word(),
        &definition.options,
        definition.position,
        definition.created_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(crate) async fn update(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    definition: &Definition,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.attribute_definitions set name = $3, options = $4, position = $5
         where organization_id = $1 and key = $2",
        organization_id.as_uuid(),
        definition.key,
        definition.name,
        &definition.options,
        definition.position,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a definition, and its value of every contact.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    key: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.attribute_definitions where organization_id = $1 and key = $2",
        organization_id.as_uuid(),
        key,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.contacts set attributes = attributes - $2::text, updated_at = $3, version = version + 1
         where organization_id = $1 and jsonb_exists(attributes, $2)",
        organization_id.as_uuid(),
        key,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether any contact has one of these values.
pub(crate) async fn any_has(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    key: &str,
    values: &[String],
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from messaging.contacts
                          where organization_id = $1 and attributes ->> $2 = any($3)) as "exists!""#,
        organization_id.as_uuid(),
        key,
        values,
    )
    .fetch_one(conn)
    .await
}
