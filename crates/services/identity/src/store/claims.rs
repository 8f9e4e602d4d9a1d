//! People whose address somebody else had before them, as far as anybody knows.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::{Actor, ApiKeyId, OrganizationId, UserId};

use crate::domain::email::EmailKey;

/// The person with an address, locked, and whether the address was proven.
#[tracing::instrument(name = "db.users.lock", skip_all)]
pub(crate) async fn lock_person(
    tx: &mut SystemTx,
    email: &EmailKey,
) -> Result<Option<(UserId, bool)>, DbError> {
    let row = sqlx::query!(
        r#"select id as "id: UserId", email_verified_at is not null as "verified!"
           from identity.users where email_key = $1 for update"#,
        email.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.verified)))
}

/// The address is proven from now on; the password and the links of whoever set the account up are gone.
#[tracing::instrument(name = "db.users.update", skip_all)]
pub(crate) async fn claim(
    tx: &mut SystemTx,
    user_id: UserId,
    name: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let id = user_id.as_uuid();
    sqlx::query!("delete from identity.passwords where user_id = $1", id)
        .execute(tx.conn())
        .await?;
    sqlx::query!("delete from identity.email_links where user_id = $1", id)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "update identity.users set email_verified_at = $2, name = coalesce($3, name) where id = $1",
        id,
        now,
        name,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Revokes the API keys that the person made, in each of its organizations; which, by organization.
#[tracing::instrument(name = "db.api_keys.revoke", skip_all)]
pub(crate) async fn revoke_keys(
    tx: &mut SystemTx,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<(OrganizationId, ApiKeyId)>, DbError> {
    let revoked = sqlx::query!(
        r#"update identity.api_keys k set revoked_at = $3
           from identity.memberships m
           where m.user_id = $1 and k.organization_id = m.organization_id and k.created_by = $2
             and k.revoked_at is null
           returning k.organization_id as "organization_id: OrganizationId", k.id as "id: ApiKeyId""#,
        user_id.as_uuid(),
        Actor::User(user_id).to_string(),
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut revoked: Vec<_> = revoked
        .into_iter()
        .map(|row| (row.organization_id, row.id))
        .collect();
    revoked.sort_unstable();
    Ok(revoked)
}
