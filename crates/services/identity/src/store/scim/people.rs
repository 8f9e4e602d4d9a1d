//! What provisioning does to people, who belong to no tenant.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::{OrganizationId, UserId};

use crate::{domain::email::EmailKey, store::users::User};

/// A person that has no password: it logs in through its identity provider, or resets the password. `false` when
/// somebody has the address.
#[tracing::instrument(name = "db.users.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut SystemTx,
    user: &User,
    email: &EmailKey,
    email_verified_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let inserted = sqlx::query!(
        "insert into identity.users (id, email, email_key, name, created_at, email_verified_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (email_key) do nothing",
        user.id.as_uuid(),
        user.email,
        email.as_str(),
        user.name,
        now,
        email_verified_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The key of the person's address, locked, and whether the address was proven.
#[tracing::instrument(name = "db.users.lock", skip_all)]
pub(crate) async fn lock_address(
    tx: &mut SystemTx,
    id: UserId,
) -> Result<Option<(EmailKey, bool)>, DbError> {
    let row = sqlx::query!(
        r#"select email_key, email_verified_at is not null as "verified!" from identity.users where id = $1 for update"#,
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (EmailKey::new(&row.email_key), row.verified)))
}

/// Another address to log in with; `false` when somebody has it.
#[tracing::instrument(name = "db.users.update", skip_all)]
pub(crate) async fn change_address(
    tx: &mut SystemTx,
    id: UserId,
    address: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let key = EmailKey::new(address);
    let changed = sqlx::query!(
        "update identity.users set email = $2, email_key = $3, email_verified_at = $4
         where id = $1 and not exists (select from identity.users where email_key = $3 and id <> $1)",
        id.as_uuid(),
        address,
        key.as_str(),
        now,
    )
    .execute(tx.conn())
    .await
    .map_err(DbError::from);
    match changed {
        Ok(changed) => Ok(changed.rows_affected() == 1),
        Err(error) if error.constraint() == Some("users_email_key") => Ok(false),
        Err(error) => Err(error),
    }
}

/// The name, if the organization may say it: it owns the domain of the person's address, or the person belongs to no
/// other organization.
#[tracing::instrument(name = "db.users.update", skip_all)]
pub(crate) async fn rename(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    id: UserId,
    name: &str,
    owns_domain: bool,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.users set name = $2
         where id = $1 and name <> $2
           and ($4 or not exists (select from identity.memberships where user_id = $1 and organization_id <> $3))",
        id.as_uuid(),
        name,
        organization_id.as_uuid(),
        owns_domain,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
