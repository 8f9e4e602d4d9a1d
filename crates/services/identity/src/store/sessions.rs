//! Logins.

use auth::Role;
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx, TenantTx};
use ids::{OrganizationId, SessionId, SsoConnectionId, UserId};

use crate::domain::session::{EndReason, Login, Method, Session};

/// A new login. Through either door: signing up creates the tenant in the same transaction.
#[tracing::instrument(name = "db.sessions.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    session: &Session,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sessions
             (organization_id, id, user_id, created_at, refreshed_at, expires_at, methods, authenticated_at,
              connection_id, user_agent, address)
         values ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10)",
        organization_id.as_uuid(),
        session.id.as_uuid(),
        session.user_id.as_uuid(),
        session.refreshed_at,
        session.expires_at,
        &methods(&session.login),
        session.login.authenticated_at,
        session.login.connection_id.map(SsoConnectionId::as_uuid),
        session.login.user_agent,
        session.login.address,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn methods(login: &Login) -> Vec<String> {
    login
        .methods
        .iter()
        .map(|method| method.as_str().to_owned())
        .collect()
}

/// A session that has not ended, locked.
#[tracing::instrument(name = "db.sessions.lock", skip_all)]
pub(crate) async fn lock(tx: &mut TenantTx, id: SessionId) -> Result<Option<Session>, DbError> {
    let row = sqlx::query!(
        r#"select user_id as "user_id: UserId", generation, used_at, refreshed_at, expires_at, methods,
                  authenticated_at, connection_id as "connection_id: SsoConnectionId", user_agent, address
           from identity.sessions
           where organization_id = $1 and id = $2 and ended_at is null
           for update"#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        Ok(Session {
            id,
            user_id: row.user_id,
            generation: u32::try_from(row.generation)
                .map_err(|_| DbError::inconsistent("sessions", "generation", id))?,
            used_at: row.used_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            login: Login {
                methods: row
                    .methods
                    .iter()
                    .map(|stored| Method::parse(stored))
                    .collect::<Option<_>>()
                    .ok_or_else(|| DbError::inconsistent("sessions", "methods", id))?,
                authenticated_at: row.authenticated_at,
                connection_id: row.connection_id,
                user_agent: row.user_agent,
                address: row.address,
            },
        })
    })
    .transpose()
}

/// Whether a session has not ended; it does not until the end of the transaction.
#[tracing::instrument(name = "db.sessions.hold", skip_all)]
pub(crate) async fn hold(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    id: SessionId,
) -> Result<bool, DbError> {
    let held = sqlx::query!(
        "select from identity.sessions where organization_id = $1 and id = $2 and ended_at is null for share",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(held.rows_affected() == 1)
}

/// A session that began with a password, in an organization that requires single sign-on of some of its people.
pub(crate) struct ByPassword {
    pub(crate) email: String,
    pub(crate) role: Role,
    /// A second factor was shown.
    pub(crate) strong: bool,
}

#[tracing::instrument(name = "db.sessions.find", skip_all)]
pub(crate) async fn find_by_password(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    id: SessionId,
) -> Result<Option<ByPassword>, DbError> {
    let row = sqlx::query!(
        r#"select u.email, m.role, not s.methods <@ '{password}' as "strong!"
           from identity.sessions s
           join identity.organizations o on o.organization_id = s.organization_id
           join identity.memberships m on m.organization_id = s.organization_id and m.user_id = s.user_id
           join identity.users u on u.id = s.user_id
           where s.organization_id = $1 and s.id = $2 and s.connection_id is null and o.sso_required"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        Ok(ByPassword {
            email: row.email,
            role: super::organizations::role(&row.role, id)?,
            strong: row.strong,
        })
    })
    .transpose()
}

/// What a rotation or a fresh proof changed.
#[tracing::instrument(name = "db.sessions.update", skip_all)]
pub(crate) async fn update(tx: &mut TenantTx, session: &Session) -> Result<(), DbError> {
    let generation = i32::try_from(session.generation)
        .map_err(|_| DbError::inconsistent("sessions", "generation", session.id))?;
    sqlx::query!(
        "update identity.sessions set generation = $3, used_at = $4, refreshed_at = $5, methods = $6, authenticated_at = $7
         where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        session.id.as_uuid(),
        generation,
        &session.used_at,
        session.refreshed_at,
        &methods(&session.login),
        session.login.authenticated_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a session; its person, unless it had ended already.
#[tracing::instrument(name = "db.sessions.end", skip_all)]
pub(crate) async fn end(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: SessionId,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, DbError> {
    let user_id = sqlx::query_scalar!(
        r#"update identity.sessions set ended_at = $3, end_reason = $4
           where organization_id = $1 and id = $2 and ended_at is null
           returning user_id as "user_id: UserId""#,
        organization_id.as_uuid(),
        id.as_uuid(),
        now,
        reason.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(user_id)
}

/// A session as its person sees it.
pub(crate) struct Listed {
    pub(crate) id: SessionId,
    pub(crate) user_agent: String,
    pub(crate) address: String,
    pub(crate) methods: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) refreshed_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A person's sessions in the tenant that have not ended or expired and were used after `used_after`; newest first,
/// behind the key `after`.
#[tracing::instrument(name = "db.sessions.list", skip_all)]
pub(crate) async fn list(
    tx: &mut TenantTx,
    user_id: UserId,
    used_after: DateTime<Utc>,
    after: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Listed>, DbError> {
    let now = tx.db().clock().now();
    let sessions = sqlx::query_as!(
        Listed,
        r#"select id as "id: SessionId", user_agent, address, methods, created_at, refreshed_at, expires_at
           from identity.sessions
           where organization_id = $1 and user_id = $2 and ended_at is null and expires_at > $3 and refreshed_at > $4
             and ($5::uuid is null or id < $5)
           order by id desc
           limit $6"#,
        tx.organization_id().as_uuid(),
        user_id.as_uuid(),
        now,
        used_after,
        after.map(SessionId::as_uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(sessions)
}

/// A person's sessions that have not ended, in all organizations, locked in an order of their own.
#[tracing::instrument(name = "db.sessions.lock", skip_all)]
pub(crate) async fn lock_all_of_person(
    tx: &mut SystemTx,
    user_id: UserId,
) -> Result<Vec<(OrganizationId, SessionId)>, DbError> {
    let rows = sqlx::query!(
        r#"select s.organization_id as "organization_id: OrganizationId", s.id as "id: SessionId"
           from identity.memberships m
           join identity.sessions s on s.organization_id = m.organization_id and s.user_id = m.user_id
           where m.user_id = $1 and s.ended_at is null
           order by s.organization_id, s.id
           for update of s"#,
        user_id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.organization_id, row.id))
        .collect())
}

/// Ends every session of one member, or of the organization; those that had not ended.
#[tracing::instrument(name = "db.sessions.end_every", skip_all)]
pub(crate) async fn end_every(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    of: Option<UserId>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<(SessionId, UserId)>, DbError> {
    // Locked in one order, so that two of these don't wait for each other.
    let rows = sqlx::query!(
        r#"with living as (
               select id from identity.sessions
               where organization_id = $1 and ($2::uuid is null or user_id = $2) and ended_at is null
               order by id for update
           )
           update identity.sessions s set ended_at = $3, end_reason = $4
           from living where s.organization_id = $1 and s.id = living.id
           returning s.id as "id: SessionId", s.user_id as "user_id: UserId""#,
        organization_id.as_uuid(),
        of.map(UserId::as_uuid),
        now,
        reason.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.user_id)).collect())
}

/// Deletes up to `batch` sessions that expired before `before`; how many.
#[tracing::instrument(name = "db.sessions.delete", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.sessions where ctid = any(array(
             select ctid from identity.sessions where expires_at < $1 order by expires_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
