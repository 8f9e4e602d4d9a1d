//! Groups that a directory pushes.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, TenantTx};
use ids::{RoleId, ScimGroupId};
use uuid::Uuid;

use super::{Source, users::Refused};
use crate::{
    domain::{assignment::Assignment, scim::folded},
    store::organizations,
};

/// A group of a directory, without its members.
#[derive(Debug, Clone)]
pub(crate) struct StoredGroup {
    pub(crate) id: ScimGroupId,
    pub(crate) external_id: Option<String>,
    pub(crate) display_name: String,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A group as the organization manages it.
#[derive(Debug, Clone)]
pub(crate) struct ManagedGroup {
    pub(crate) id: ScimGroupId,
    pub(crate) display_name: String,
    /// What its members are; `None` while it gives no role.
    pub(crate) gives: Option<Assignment>,
    pub(crate) members: i64,
    pub(crate) created_at: DateTime<Utc>,
}

struct ManagedRow {
    id: ScimGroupId,
    display_name: String,
    role: Option<String>,
    role_id: Option<RoleId>,
    members: i64,
    created_at: DateTime<Utc>,
}

impl TryFrom<ManagedRow> for ManagedGroup {
    type Error = DbError;

    fn try_from(row: ManagedRow) -> Result<Self, DbError> {
        let gives = match &row.role {
            None => None,
            Some(role) => Some(
                Assignment::new(organizations::role(role, row.id)?, row.role_id)
                    .ok_or_else(|| DbError::inconsistent("scim_groups", "role_id", row.id))?,
            ),
        };
        Ok(Self {
            id: row.id,
            display_name: row.display_name,
            gives,
            members: row.members,
            created_at: row.created_at,
        })
    }
}

fn taken(error: sqlx::Error) -> Refused {
    let error = DbError::from(error);
    match error.constraint() {
        Some("scim_groups_display_name_key") => Refused::Taken("displayName"),
        _ => Refused::Db(error),
    }
}

#[tracing::instrument(name = "db.scim_groups.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    source: Source,
    id: ScimGroupId,
    group: &scim::Group,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    sqlx::query!(
        "insert into identity.scim_groups
             (organization_id, directory_id, id, external_id, display_name, display_name_key, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
        group.external_id,
        group.display_name,
        folded(&group.display_name),
        now,
    )
    .execute(tx.conn())
    .await
    .map_err(taken)?;
    Ok(())
}

/// A changed group, or one with other members: a new version.
#[tracing::instrument(name = "db.scim_groups.update", skip_all)]
pub(crate) async fn update(
    tx: &mut impl AsTx,
    source: Source,
    id: ScimGroupId,
    group: &scim::Group,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    sqlx::query!(
        "update identity.scim_groups
         set external_id = $4, display_name = $5, display_name_key = $6, updated_at = $7, version = version + 1
         where organization_id = $1 and directory_id = $2 and id = $3",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
        group.external_id,
        group.display_name,
        folded(&group.display_name),
        now,
    )
    .execute(tx.conn())
    .await
    .map_err(taken)?;
    Ok(())
}

#[tracing::instrument(name = "db.scim_groups.delete", skip_all)]
pub(crate) async fn delete(
    tx: &mut impl AsTx,
    source: Source,
    id: ScimGroupId,
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.scim_groups where organization_id = $1 and directory_id = $2 and id = $3",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// These groups, by id; those that are not the directory's are missing.
#[tracing::instrument(name = "db.scim_groups.load", skip_all)]
pub(crate) async fn load(
    tx: &mut impl AsTx,
    source: Source,
    ids: &[ScimGroupId],
) -> Result<Vec<StoredGroup>, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let groups = sqlx::query_as!(
        StoredGroup,
        r#"select id as "id: ScimGroupId", external_id, display_name, version, created_at, updated_at
           from identity.scim_groups
           where organization_id = $1 and directory_id = $2 and id = any($3)
           order by id"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(groups)
}

/// The newest first, behind the group `after`.
#[tracing::instrument(name = "db.scim_groups.list", skip_all)]
pub(crate) async fn list_managed(
    tx: &mut TenantTx,
    source: Source,
    after: Option<ScimGroupId>,
    limit: i64,
) -> Result<Vec<ManagedGroup>, DbError> {
    let rows = sqlx::query_as!(
        ManagedRow,
        r#"select g.id as "id: ScimGroupId", g.display_name, g.role, g.role_id as "role_id: RoleId", g.created_at,
                  (select count(*) from identity.scim_group_members m
                   where m.organization_id = $1 and m.directory_id = $2 and m.group_id = g.id) as "members!"
           from identity.scim_groups g
           where g.organization_id = $1 and g.directory_id = $2 and ($3::uuid is null or g.id < $3)
           order by g.id desc
           limit $4"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        after.map(ScimGroupId::as_uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(ManagedGroup::try_from).collect()
}

#[tracing::instrument(name = "db.scim_groups.find", skip_all)]
pub(crate) async fn find_managed(
    tx: &mut TenantTx,
    source: Source,
    id: ScimGroupId,
) -> Result<Option<ManagedGroup>, DbError> {
    let row = sqlx::query_as!(
        ManagedRow,
        r#"select g.id as "id: ScimGroupId", g.display_name, g.role, g.role_id as "role_id: RoleId", g.created_at,
                  (select count(*) from identity.scim_group_members m
                   where m.organization_id = $1 and m.directory_id = $2 and m.group_id = g.id) as "members!"
           from identity.scim_groups g
           where g.organization_id = $1 and g.directory_id = $2 and g.id = $3"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(ManagedGroup::try_from).transpose()
}

/// What its members are from now on. Not a change of the resource: the directory does not see it.
#[tracing::instrument(name = "db.scim_groups.update", skip_all)]
pub(crate) async fn set_role(
    tx: &mut TenantTx,
    source: Source,
    id: ScimGroupId,
    gives: Option<Assignment>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.scim_groups set role = $4, role_id = $5
         where organization_id = $1 and directory_id = $2 and id = $3",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
        gives.map(|gives| gives.role().as_str()),
        gives.and_then(Assignment::role_id).map(RoleId::as_uuid),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
