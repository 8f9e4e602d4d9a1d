//! What letters are written from. Everything here answers nothing when the matter is over: then no letter is due.

use std::fmt;

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::{InvitationId, LinkId, OrganizationId, SessionId, UserId};

use super::email_links::Purpose;

/// Whom a letter goes to, and what it says. Personal data: not printed.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) email: String,
    /// Who invited, or the name of the organization.
    pub(crate) name: String,
    pub(crate) organization: String,
    /// The program and the address of a login.
    pub(crate) user_agent: String,
    pub(crate) address: String,
    /// When it happened, or when it ends.
    pub(crate) at: DateTime<Utc>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

/// A pending invitation; `name` is who invited, `at` its end.
#[tracing::instrument(name = "db.letters.invitation", skip_all)]
pub(crate) async fn invitation(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    id: InvitationId,
    now: DateTime<Utc>,
) -> Result<Option<Facts>, DbError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select i.email, coalesce(u.name, '') as "name!", o.name as organization, '' as "user_agent!",
                  '' as "address!", i.expires_at as at
           from identity.invitations i
           join identity.organizations o on o.organization_id = i.organization_id
           left join identity.users u on u.id = i.invited_by
           where i.organization_id = $1 and i.id = $2 and i.state = 'pending' and i.expires_at > $3
             and o.state = 'active'"#,
        organization_id.as_uuid(),
        id.as_uuid(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// An open link, while the person still has the address it is for; `at` is its end.
#[tracing::instrument(name = "db.letters.link", skip_all)]
pub(crate) async fn link(
    tx: &mut SystemTx,
    id: LinkId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<Facts>, DbError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select u.email, u.name, '' as "organization!", '' as "user_agent!", '' as "address!", l.expires_at as at
           from identity.email_links l
           join identity.users u on u.id = l.user_id and u.email_key = l.email_key
           where l.id = $1 and l.purpose = $2 and l.closed_at is null and l.expires_at > $3"#,
        id.as_uuid(),
        purpose.as_str(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A person. `at` is when the job was made.
#[tracing::instrument(name = "db.letters.person", skip_all)]
pub(crate) async fn person(
    tx: &mut SystemTx,
    id: UserId,
    at: DateTime<Utc>,
) -> Result<Option<Facts>, DbError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select email, name, '' as "organization!", '' as "user_agent!", '' as "address!",
                  $2::timestamptz as "at!"
           from identity.users where id = $1"#,
        id.as_uuid(),
        at,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A person at the address it had before the change at that time.
#[tracing::instrument(name = "db.letters.former_address", skip_all)]
pub(crate) async fn former_address(
    tx: &mut SystemTx,
    id: UserId,
    changed_at: DateTime<Utc>,
) -> Result<Option<Facts>, DbError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select f.email, u.name, '' as "organization!", '' as "user_agent!", '' as "address!", f.changed_at as at
           from identity.former_addresses f join identity.users u on u.id = f.user_id
           where f.user_id = $1 and f.changed_at = $2"#,
        id.as_uuid(),
        changed_at,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A login; `at` is its time.
#[tracing::instrument(name = "db.letters.login", skip_all)]
pub(crate) async fn login(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    id: SessionId,
) -> Result<Option<Facts>, DbError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select u.email, u.name, o.name as organization, s.user_agent, s.address, s.created_at as at
           from identity.sessions s
           join identity.users u on u.id = s.user_id
           join identity.organizations o on o.organization_id = s.organization_id
           where s.organization_id = $1 and s.id = $2"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// An organization that is being deleted, for one of its people; `at` is when that becomes final.
#[tracing::instrument(name = "db.letters.deletion", skip_all)]
pub(crate) async fn deletion(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Option<Facts>, DbError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select u.email, u.name, o.name as organization, '' as "user_agent!", '' as "address!",
                  o.delete_at as "at!"
           from identity.memberships m
           join identity.users u on u.id = m.user_id
           join identity.organizations o on o.organization_id = m.organization_id
           where m.organization_id = $1 and m.user_id = $2 and o.state = 'deleting'"#,
        organization_id.as_uuid(),
        user_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?)
}
