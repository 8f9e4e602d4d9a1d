//! Roles that organizations made up.

use auth::{Conversations, Membership, Role, Scopes, View};
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, TenantTx};
use ids::{OrganizationId, RoleId, UserId};

use crate::{Error, PeopleError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomRole {
    pub(crate) id: RoleId,
    pub(crate) name: String,
    /// Sorted.
    pub(crate) permissions: Vec<String>,
    pub(crate) conversations: Conversations,
    pub(crate) hides_contact_details: bool,
    pub(crate) created_at: DateTime<Utc>,
}

impl CustomRole {
    /// What a member with it may do and see.
    pub(crate) fn membership(&self, organization_id: OrganizationId) -> Membership {
        Membership {
            organization_id,
            role: Role::Custom,
            scopes: Scopes::Only(self.permissions.iter().cloned().collect()),
            view: View {
                conversations: self.conversations,
                hides_contact_details: self.hides_contact_details,
                teams: Vec::new(),
            },
        }
    }
}

struct Row {
    id: RoleId,
    name: String,
    permissions: Vec<String>,
    conversations: String,
    hides_contact_details: bool,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for CustomRole {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            conversations: Conversations::parse(&row.conversations)
                .ok_or_else(|| DbError::inconsistent("roles", "conversations", row.id))?,
            id: row.id,
            name: row.name,
            permissions: row.permissions,
            hides_contact_details: row.hides_contact_details,
            created_at: row.created_at,
        })
    }
}

#[tracing::instrument(name = "db.roles.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: RoleId,
) -> Result<Option<CustomRole>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: RoleId", name, permissions, conversations, hides_contact_details, created_at
           from identity.roles where organization_id = $1 and id = $2"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(CustomRole::try_from).transpose()
}

/// All of them, by name.
#[tracing::instrument(name = "db.roles.list", skip_all)]
pub(crate) async fn list(tx: &mut TenantTx) -> Result<Vec<CustomRole>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: RoleId", name, permissions, conversations, hides_contact_details, created_at
           from identity.roles where organization_id = $1 order by lower(name)"#,
        tx.organization_id().as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(CustomRole::try_from).collect()
}

#[tracing::instrument(name = "db.roles.count", skip_all)]
pub(crate) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from identity.roles where organization_id = $1"#,
        tx.organization_id().as_uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

#[tracing::instrument(name = "db.roles.insert", skip_all)]
pub(crate) async fn insert(tx: &mut TenantTx, role: &CustomRole) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "insert into identity.roles
             (organization_id, id, name, permissions, conversations, hides_contact_details, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        tx.organization_id().as_uuid(),
        role.id.as_uuid(),
        role.name,
        &role.permissions,
        role.conversations.as_str(),
        role.hides_contact_details,
        role.created_at,
    )
    .execute(tx.conn())
    .await;
    inserted.map(drop).map_err(name_taken)
}

#[tracing::instrument(name = "db.roles.update", skip_all)]
pub(crate) async fn update(
    tx: &mut TenantTx,
    role: &CustomRole,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let updated = sqlx::query!(
        "update identity.roles
         set name = $3, permissions = $4, conversations = $5, hides_contact_details = $6, updated_at = $7
         where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        role.id.as_uuid(),
        role.name,
        &role.permissions,
        role.conversations.as_str(),
        role.hides_contact_details,
        now,
    )
    .execute(tx.conn())
    .await;
    updated.map(drop).map_err(name_taken)
}

fn name_taken(error: sqlx::Error) -> Error {
    let error = DbError::from(error);
    match error.constraint() {
        Some("roles_name_key") => PeopleError::NameTaken("role").into(),
        _ => error.into(),
    }
}

/// Whether a member has it, an invitation that may still be accepted, or a directory's group gives it. Exact while the organization is locked.
#[tracing::instrument(name = "db.roles.used", skip_all)]
pub(crate) async fn is_used(
    tx: &mut TenantTx,
    id: RoleId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let used = sqlx::query_scalar!(
        r#"select exists (select from identity.memberships where organization_id = $1 and role_id = $2)
               or exists (select from identity.invitations
                          where organization_id = $1 and role_id = $2 and state = 'pending'
                            and expires_at > $3)
               or exists (select from identity.scim_groups where organization_id = $1 and role_id = $2) as "used!""#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(used)
}

/// With the invitations that name it: they are closed or have expired, or [`is_used`] says no.
#[tracing::instrument(name = "db.roles.delete", skip_all)]
pub(crate) async fn delete(tx: &mut TenantTx, id: RoleId) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.invitations where organization_id = $1 and role_id = $2",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.roles where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[tracing::instrument(name = "db.memberships.list", skip_all)]
pub(crate) async fn list_members(tx: &mut TenantTx, id: RoleId) -> Result<Vec<UserId>, DbError> {
    let members = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from identity.memberships
           where organization_id = $1 and role_id = $2"#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(members)
}
