//! Who somebody at a provider is with us.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, SsoConnectionId, UserId};

use crate::{Error, domain::email::EmailKey, store::users::User};

/// The member behind a subject, and whether it is let in.
#[tracing::instrument(name = "db.sso_identities.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    subject: &str,
) -> Result<Option<(UserId, bool)>, DbError> {
    let row = sqlx::query!(
        r#"select i.user_id as "user_id: UserId", m.state
           from identity.sso_identities i
           join identity.memberships m on m.organization_id = i.organization_id and m.user_id = i.user_id
           where i.organization_id = $1 and i.connection_id = $2 and i.subject = $3"#,
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        subject,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.user_id, row.state == "active")))
}

/// Whether the connection knows the person by any subject.
#[tracing::instrument(name = "db.sso_identities.find", skip_all)]
pub(crate) async fn is_known(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    user_id: UserId,
) -> Result<bool, DbError> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from identity.sso_identities
               where organization_id = $1 and connection_id = $2 and user_id = $3) as "known!""#,
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        user_id.as_uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(known)
}

/// The subject is from now on this member, or logged in again.
#[tracing::instrument(name = "db.sso_identities.insert", skip_all)]
pub(crate) async fn put(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    subject: &str,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sso_identities
             (organization_id, connection_id, subject, user_id, created_at, last_login_at)
         values ($1, $2, $3, $4, $5, $5)
         on conflict (organization_id, connection_id, subject) do update set last_login_at = excluded.last_login_at",
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        subject,
        user_id.as_uuid(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

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

/// A person without a password, whose address is proven.
#[tracing::instrument(name = "db.users.insert", skip_all)]
pub(crate) async fn insert_person(
    tx: &mut SystemTx,
    user: &User,
    email: &EmailKey,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "insert into identity.users (id, email, email_key, name, created_at, email_verified_at)
         values ($1, $2, $3, $4, $5, $5)",
        user.id.as_uuid(),
        user.email,
        email.as_str(),
        user.name,
        now,
    )
    .execute(tx.conn())
    .await
    .map_err(DbError::from);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if error.constraint() == Some("users_email_key") => Err(Error::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// Whoever set up the account never proved the address: password, second factor and links are its maker's, and go.
#[tracing::instrument(name = "db.users.update", skip_all)]
pub(crate) async fn claim_person(
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
