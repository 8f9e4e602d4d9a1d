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
    pub(crate) organization: Organization,
    pub(crate) role: Role,
}

/// The person with this address, in the organization joined first.
#[tracing::instrument(name = "db.users.select", skip_all)]
pub(crate) async fn find_account(
    tx: &mut SystemTx,
    email: &EmailKey,
) -> Result<Option<Account>, DbError> {
    let row = sqlx::query!(
        r#"select u.id as "id: UserId", u.email, u.name, p.hash as "hash?",
                  m.role, o.organization_id as "organization_id: OrganizationId", o.name as organization_name,
                  o.created_at
           from identity.users u
           join identity.memberships m on m.user_id = u.id
           join identity.organizations o on o.organization_id = m.organization_id
           left join identity.passwords p on p.user_id = u.id
           where u.email_key = $1
           order by m.created_at, m.organization_id
           limit 1"#,
        email.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        Ok(Account {
            role: super::organizations::role(&row.role, row.organization_id)?,
            user: User {
                id: row.id,
                email: row.email,
                name: row.name,
            },
            password_hash: row.hash.map(SecretString::from),
            organization: Organization {
                id: row.organization_id,
                name: row.organization_name,
                created_at: row.created_at,
            },
        })
    })
    .transpose()
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
