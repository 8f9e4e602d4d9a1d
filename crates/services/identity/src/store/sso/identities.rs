//! Who somebody at a provider is with us.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, RoleId, SsoConnectionId, UserId};

use crate::{
    Error,
    domain::{assignment::Assignment, email::EmailKey},
    store::{organizations::role, users::User},
};

/// Whom a subject means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) user_id: UserId,
    /// Whether the member is let in.
    pub(crate) active: bool,
    /// The role that the groups gave at the last login.
    pub(crate) given: Option<Assignment>,
}

/// The member behind a subject.
#[tracing::instrument(name = "db.sso_identities.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    subject: &str,
) -> Result<Option<Known>, DbError> {
    let row = sqlx::query!(
        r#"select i.user_id as "user_id: UserId", i.given_role, i.given_role_id as "given_role_id: RoleId", m.state
           from identity.sso_identities i
           join identity.memberships m on m.organization_id = i.organization_id and m.user_id = i.user_id
           where i.organization_id = $1 and i.connection_id = $2 and i.subject = $3"#,
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        subject,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        let wrong = || DbError::inconsistent("sso_identities", "given_role", row.user_id);
        let given = match &row.given_role {
            None => None,
            Some(stored) => Some(
                Assignment::new(role(stored, row.user_id)?, row.given_role_id).ok_or_else(wrong)?,
            ),
        };
        Ok(Known {
            user_id: row.user_id,
            active: row.state == "active",
            given,
        })
    })
    .transpose()
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
    known: &Known,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sso_identities
             (organization_id, connection_id, subject, user_id, given_role, given_role_id, created_at, last_login_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (organization_id, connection_id, subject) do update
             set last_login_at = excluded.last_login_at, given_role = excluded.given_role,
                 given_role_id = excluded.given_role_id",
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        subject,
        known.user_id.as_uuid(),
        known.given.map(|given| given.role().as_str()),
        known
            .given
            .and_then(Assignment::role_id)
            .map(RoleId::as_uuid),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
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
