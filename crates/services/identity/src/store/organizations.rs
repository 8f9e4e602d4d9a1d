//! Tenants and who belongs to them.

use auth::Role;
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, UserId};

#[derive(Debug, Clone)]
pub(crate) struct Organization {
    pub(crate) id: OrganizationId,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
}

/// An organization and its first member. There is no tenant before this, so it goes through the system door.
#[tracing::instrument(name = "db.organizations.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut SystemTx,
    organization: &Organization,
    owner: UserId,
) -> Result<(), DbError> {
    sqlx::query!(
        "with organization as (
             insert into identity.organizations (organization_id, name, created_at) values ($1, $2, $3)
             returning organization_id
         )
         insert into identity.memberships (organization_id, user_id, role, created_at)
         select organization_id, $4, $5, $3 from organization",
        organization.id.as_uuid(),
        organization.name,
        organization.created_at,
        owner.as_uuid(),
        Role::Owner.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the organization is active; it stays so until the end of the transaction.
#[tracing::instrument(name = "db.organizations.hold", skip_all)]
pub(crate) async fn hold_active(tx: &mut impl AsTx, id: OrganizationId) -> Result<bool, DbError> {
    let active = sqlx::query_scalar!(
        r#"select state = 'active' as "active!" from identity.organizations where organization_id = $1 for share"#,
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(active.unwrap_or(false))
}

/// A stored role.
pub(crate) fn role(stored: &str, key: impl std::fmt::Display) -> Result<Role, DbError> {
    stored
        .parse()
        .map_err(|_| DbError::inconsistent("memberships", "role", key))
}
