//! People as a directory describes them.

use std::fmt;

use chrono::{DateTime, Utc};
use db::{AsTx, DbError};
use ids::UserId;
use scim::answer::ErrorResponse;
use serde_json::Value;
use uuid::Uuid;

use super::Source;
use crate::domain::scim::folded;

/// A user of a directory.
#[derive(Clone)]
pub(crate) struct StoredUser {
    pub(crate) id: UserId,
    /// The resource without what we give ourselves.
    pub(crate) attributes: Value,
    /// Of the membership.
    pub(crate) active: bool,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Without what the directory says about the person.
impl fmt::Debug for StoredUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredUser({} v{})", self.id, self.version)
    }
}

/// Why a user is not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Db(#[from] DbError),
    /// Another one of the directory has the value.
    #[error("another user has the same `{0}`")]
    Taken(&'static str),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        let error = DbError::from(error);
        match error.constraint() {
            Some("scim_users_user_name_key") => Self::Taken("userName"),
            // One person, whom the address names.
            Some("scim_users_pkey") => Self::Taken("emails"),
            _ => Self::Db(error),
        }
    }
}

impl Refused {
    /// What the directory is told; an error of the database is not its business.
    pub(crate) fn answer(self) -> Result<ErrorResponse, DbError> {
        match self {
            Self::Taken(attribute) => Ok(ErrorResponse::uniqueness(attribute)),
            Self::Db(error) => Err(error),
        }
    }
}

/// The columns that lookups use.
struct Keys {
    external_id: Option<String>,
    user_name: String,
    display_name: Option<String>,
}

impl Keys {
    fn of(user: &scim::User) -> Self {
        Self {
            external_id: user.external_id.clone(),
            user_name: folded(&user.user_name),
            display_name: user.display_name.as_deref().map(folded),
        }
    }
}

/// What of a resource is kept in `attributes`.
fn kept(user: &scim::User) -> Value {
    let mut kept = user.clone();
    (kept.id, kept.meta, kept.active) = (None, None, None);
    kept.groups.clear();
    kept.to_json()
}

/// Whether a user of the directory has the name to sign in with.
#[tracing::instrument(name = "db.scim_users.exists", skip_all)]
pub(crate) async fn is_user_name_taken(
    tx: &mut impl AsTx,
    source: Source,
    user_name: &str,
) -> Result<bool, DbError> {
    let taken = sqlx::query_scalar!(
        r#"select exists (select from identity.scim_users
           where organization_id = $1 and directory_id = $2 and user_name_key = $3) as "taken!""#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        folded(user_name),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(taken)
}

/// A new description of a member.
#[tracing::instrument(name = "db.scim_users.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    source: Source,
    id: UserId,
    user: &scim::User,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    let keys = Keys::of(user);
    sqlx::query!(
        "insert into identity.scim_users
             (organization_id, directory_id, user_id, external_id, user_name_key, display_name_key, attributes,
              created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
        keys.external_id,
        keys.user_name,
        keys.display_name,
        kept(user),
        now,
    )
    .execute(tx.conn())
    .await?;
    replace_emails(tx, source, id, user).await?;
    Ok(())
}

/// A changed description: a new version.
#[tracing::instrument(name = "db.scim_users.update", skip_all)]
pub(crate) async fn update(
    tx: &mut impl AsTx,
    source: Source,
    id: UserId,
    user: &scim::User,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    let keys = Keys::of(user);
    sqlx::query!(
        "update identity.scim_users
         set external_id = $4, user_name_key = $5, display_name_key = $6, attributes = $7, updated_at = $8,
             version = version + 1
         where organization_id = $1 and directory_id = $2 and user_id = $3",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
        keys.external_id,
        keys.user_name,
        keys.display_name,
        kept(user),
        now,
    )
    .execute(tx.conn())
    .await?;
    replace_emails(tx, source, id, user).await?;
    Ok(())
}

async fn replace_emails(
    tx: &mut impl AsTx,
    source: Source,
    id: UserId,
    user: &scim::User,
) -> Result<(), DbError> {
    let values: Vec<String> = user.emails.iter().map(|one| folded(&one.value)).collect();
    let kinds: Vec<String> = user
        .emails
        .iter()
        .map(|one| folded(one.kind.as_deref().unwrap_or_default()))
        .collect();
    sqlx::query!(
        "delete from identity.scim_emails where organization_id = $1 and directory_id = $2 and user_id = $3",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into identity.scim_emails (organization_id, directory_id, user_id, value_key, kind_key)
         select distinct $1::uuid, $2::uuid, $3::uuid, e.value, e.kind
         from unnest($4::text[], $5::text[]) as e(value, kind)",
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        id.as_uuid(),
        &values,
        &kinds,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// These users, by id; those that are not the directory's are missing.
#[tracing::instrument(name = "db.scim_users.load", skip_all)]
pub(crate) async fn load(
    tx: &mut impl AsTx,
    source: Source,
    ids: &[UserId],
) -> Result<Vec<StoredUser>, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let users = sqlx::query_as!(
        StoredUser,
        r#"select u.user_id as "id: UserId", u.attributes, m.state = 'active' as "active!", u.version, u.created_at,
                  u.updated_at
           from identity.scim_users u
           join identity.memberships m on m.organization_id = u.organization_id and m.user_id = u.user_id
           where u.organization_id = $1 and u.directory_id = $2 and u.user_id = any($3)
           order by u.user_id"#,
        source.organization_id.as_uuid(),
        source.directory_id.as_uuid(),
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(users)
}
