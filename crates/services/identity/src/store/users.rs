//! People, their passwords and their memberships. Without a tenant: only the system door leads here.

use std::fmt;

use auth::Role;
use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::{OrganizationId, UserId};
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, domain::email::EmailKey, store::organizations::Organization};

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: String,
}

/// Without the name and the address: they must not get into logs.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({})", self.id)
    }
}

/// Everything a login needs.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) password_hash: Option<SecretString>,
    /// Whether the person proved to read the address.
    pub(crate) email_verified: bool,
    /// `None` without a password.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) organization: Organization,
}

/// Which password and which second factor a person has, by when they were set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) password_changed_at: DateTime<Utc>,
    /// `None` while no authenticator app protects the account.
    pub(crate) factor_confirmed_at: Option<DateTime<Utc>>,
}

/// The person with this address, in `organization_id` or else the organization joined first: of those that are active,
/// if any is.
#[tracing::instrument(name = "db.users.select", skip_all)]
pub(crate) async fn find_account(
    tx: &mut SystemTx,
    email: &EmailKey,
    organization_id: Option<OrganizationId>,
) -> Result<Option<Account>, DbError> {
    let row = sqlx::query!(
        r#"select u.id as "id: UserId", u.email, u.name, p.hash as "hash?", p.changed_at as "changed_at?",
                  u.email_verified_at is not null as "email_verified!",
                  (select f.confirmed_at from identity.totp_factors f where f.user_id = u.id) as factor_confirmed_at,
                  o.organization_id as "organization_id: OrganizationId", o.name as organization_name,
                  o.created_at
           from identity.users u
           join identity.memberships m on m.user_id = u.id
           join identity.organizations o on o.organization_id = m.organization_id
           left join identity.passwords p on p.user_id = u.id
           where u.email_key = $1 and ($2::uuid is null or m.organization_id = $2)
           order by m.state = 'active' and o.state = 'active' desc, m.created_at, m.organization_id
           limit 1"#,
        email.as_str(),
        organization_id.map(OrganizationId::as_uuid),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        Ok(Account {
            user: User {
                id: row.id,
                email: row.email,
                name: row.name,
            },
            password_hash: row.hash.map(SecretString::from),
            email_verified: row.email_verified,
            credentials: row.changed_at.map(|password_changed_at| Credentials {
                password_changed_at,
                factor_confirmed_at: row.factor_confirmed_at,
            }),
            organization: Organization {
                id: row.organization_id,
                name: row.organization_name,
                created_at: row.created_at,
            },
        })
    })
    .transpose()
}

/// A person, locked: whatever changes how one logs in goes one after the other.
#[tracing::instrument(name = "db.users.lock", skip_all)]
pub(crate) async fn lock(tx: &mut SystemTx, id: UserId) -> Result<Option<User>, DbError> {
    let user = sqlx::query_as!(
        User,
        r#"select id as "id: UserId", email, name from identity.users where id = $1 for update"#,
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(user)
}

/// Keeps a person from changing how one logs in until the end of the transaction.
#[tracing::instrument(name = "db.users.hold", skip_all)]
pub(crate) async fn hold(tx: &mut SystemTx, id: UserId) -> Result<(), DbError> {
    sqlx::query!(
        "select from identity.users where id = $1 for share",
        id.as_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A person's password and second factor; `None` without a password. Exact while the person is held or locked.
#[tracing::instrument(name = "db.passwords.select", skip_all)]
pub(crate) async fn find_credentials(
    tx: &mut SystemTx,
    id: UserId,
) -> Result<Option<Credentials>, DbError> {
    let credentials = sqlx::query_as!(
        Credentials,
        r#"select p.changed_at as password_changed_at, f.confirmed_at as "factor_confirmed_at?"
           from identity.passwords p left join identity.totp_factors f on f.user_id = p.user_id
           where p.user_id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(credentials)
}

/// Takes note that the person reads the address. False when that was known.
#[tracing::instrument(name = "db.users.verify_email", skip_all)]
pub(crate) async fn verify_email(
    tx: &mut SystemTx,
    id: UserId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let verified = sqlx::query!(
        "update identity.users set email_verified_at = $2 where id = $1 and email_verified_at is null",
        id.as_uuid(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(verified.rows_affected() == 1)
}

/// Whether the person proved to read the address.
#[tracing::instrument(name = "db.users.is_verified", skip_all)]
pub(crate) async fn is_verified(tx: &mut SystemTx, id: UserId) -> Result<bool, DbError> {
    let verified = sqlx::query_scalar!(
        r#"select email_verified_at is not null as "verified!" from identity.users where id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(verified.unwrap_or(false))
}

/// One of the person's organizations, in whatever state it is.
#[tracing::instrument(name = "db.organizations.find", skip_all)]
pub(crate) async fn find_organization(
    tx: &mut SystemTx,
    id: UserId,
    organization_id: OrganizationId,
) -> Result<Option<Organization>, DbError> {
    let organization = sqlx::query_as!(
        Organization,
        r#"select o.organization_id as "id: OrganizationId", o.name, o.created_at
           from identity.memberships m join identity.organizations o on o.organization_id = m.organization_id
           where m.user_id = $1 and m.organization_id = $2"#,
        id.as_uuid(),
        organization_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(organization)
}

/// All organizations that the person belongs to, in whatever state they are, in the order of their ids.
#[tracing::instrument(name = "db.memberships.list", skip_all)]
pub(crate) async fn list_organization_ids(
    tx: &mut SystemTx,
    id: UserId,
) -> Result<Vec<OrganizationId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"select organization_id as "id: OrganizationId" from identity.memberships where user_id = $1
           order by organization_id"#,
        id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// The person's active organizations and the role in each, in the order of joining.
#[tracing::instrument(name = "db.users.list_organizations", skip_all)]
pub(crate) async fn list_organizations(
    tx: &mut SystemTx,
    id: UserId,
) -> Result<Vec<(Organization, Role)>, DbError> {
    let rows = sqlx::query!(
        r#"select o.organization_id as "id: OrganizationId", o.name, o.created_at, m.role
           from identity.memberships m join identity.organizations o on o.organization_id = m.organization_id
           where m.user_id = $1 and m.state = 'active' and o.state = 'active'
           order by m.created_at, m.organization_id"#,
        id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let role = super::organizations::role(&row.role, id)?;
            let organization = Organization {
                id: row.id,
                name: row.name,
                created_at: row.created_at,
            };
            Ok((organization, role))
        })
        .collect()
}

/// A person and the hash of the password.
#[tracing::instrument(name = "db.users.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut SystemTx,
    user: &User,
    email: &EmailKey,
    password_hash: &SecretString,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "with person as (
             insert into identity.users (id, email, email_key, name, created_at) values ($1, $2, $3, $4, $6)
             returning id
         )
         insert into identity.passwords (user_id, hash, changed_at) select id, $5, $6 from person",
        user.id.as_uuid(),
        user.email,
        email.as_str(),
        user.name,
        password_hash.expose_secret(),
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
