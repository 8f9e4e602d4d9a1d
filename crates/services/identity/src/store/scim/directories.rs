//! The directories themselves.

use chrono::{DateTime, TimeDelta, Utc};
use db::{AsTx, DbError, SystemTx, TenantTx};
use ids::{OrganizationId, ScimDirectoryId};

use super::Source;
use crate::domain::secret::SecretHash;

/// A directory that is connected.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) id: ScimDirectoryId,
    pub(crate) name: String,
    pub(crate) token_prefix: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

#[tracing::instrument(name = "db.scim_directories.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut TenantTx,
    directory: &Directory,
    hash: &SecretHash,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.scim_directories (organization_id, id, name, token_prefix, token_hash, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        tx.organization_id().as_uuid(),
        directory.id.as_uuid(),
        directory.name,
        directory.token_prefix,
        hash.as_bytes(),
        directory.created_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The oldest first.
#[tracing::instrument(name = "db.scim_directories.list", skip_all)]
pub(crate) async fn list(tx: &mut TenantTx) -> Result<Vec<Directory>, DbError> {
    let directories = sqlx::query_as!(
        Directory,
        r#"select id as "id: ScimDirectoryId", name, token_prefix, created_at, last_used_at
           from identity.scim_directories
           where organization_id = $1 and revoked_at is null
           order by id"#,
        tx.organization_id().as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(directories)
}

/// A directory, locked. Whoever adds something of it is not in the way.
#[tracing::instrument(name = "db.scim_directories.lock", skip_all)]
pub(crate) async fn lock(tx: &mut impl AsTx, source: Source) -> Result<Option<Directory>, DbError> {
    let directory = sqlx::query_as!(
        Directory,
        r#"select id as "id: ScimDirectoryId", name, token_prefix, created_at, last_used_at
           from identity.scim_directories
           where organization_id = $1 and id = $2 and revoked_at is null
           for no key update"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(directory)
}

/// Another token, in the place of the present one.
#[tracing::instrument(name = "db.scim_directories.update", skip_all)]
pub(crate) async fn replace_token(
    tx: &mut TenantTx,
    directory: &Directory,
    hash: &SecretHash,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.scim_directories set token_prefix = $3, token_hash = $4
         where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        directory.id.as_uuid(),
        directory.token_prefix,
        hash.as_bytes(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Disconnects a directory and forgets what it pushed.
#[tracing::instrument(name = "db.scim_directories.revoke", skip_all)]
pub(crate) async fn revoke(
    tx: &mut TenantTx,
    id: ScimDirectoryId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let organization_id = tx.organization_id().as_uuid();
    sqlx::query!(
        "update identity.scim_directories set revoked_at = $3 where organization_id = $1 and id = $2",
        organization_id,
        id.as_uuid(),
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.scim_groups where organization_id = $1 and directory_id = $2",
        organization_id,
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.scim_users where organization_id = $1 and directory_id = $2",
        organization_id,
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The connected directory with this token, and whether its organization is active.
#[tracing::instrument(name = "db.scim_directories.select", skip_all)]
pub(crate) async fn find_by_token(
    tx: &mut SystemTx,
    hash: &SecretHash,
) -> Result<Option<(Source, bool)>, DbError> {
    let row = sqlx::query!(
        r#"select d.organization_id as "organization_id: OrganizationId", d.id as "id: ScimDirectoryId", o.state
           from identity.scim_directories d
           join identity.organizations o on o.organization_id = d.organization_id
           where d.token_hash = $1 and d.revoked_at is null"#,
        hash.as_bytes(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| {
        let source = Source {
            organization_id: row.organization_id,
            directory_id: row.id,
        };
        (source, row.state == "active")
    }))
}

/// Notes a use, unless one was noted within `every`.
#[tracing::instrument(name = "db.scim_directories.touch", skip_all)]
pub(crate) async fn touch(
    tx: &mut SystemTx,
    source: Source,
    now: DateTime<Utc>,
    every: TimeDelta,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.scim_directories set last_used_at = $3
         where organization_id = $1 and id = $2 and (last_used_at is null or last_used_at <= $4)",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        now,
        now - every,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
