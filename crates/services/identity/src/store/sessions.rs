//! Logins.

use auth::Role;
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx, TenantTx};
use ids::{OrganizationId, SessionId, UserId};

use crate::domain::session::{EndReason, Session};

/// A new login. Through either door: signing up creates the tenant in the same transaction.
#[tracing::instrument(name = "db.sessions.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    session: &Session,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sessions (organization_id, id, user_id, created_at, refreshed_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)",
        organization_id.as_uuid(),
        session.id.as_uuid(),
        session.user_id.as_uuid(),
        session.refreshed_at,
        session.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A session that has not ended, locked, and the present role of its person. `None` also when the person is no member
/// any more.
#[tracing::instrument(name = "db.sessions.lock", skip_all)]
pub(crate) async fn lock(
    tx: &mut TenantTx,
    id: SessionId,
) -> Result<Option<(Session, Role)>, DbError> {
    let row = sqlx::query!(
        r#"select s.user_id as "user_id: UserId", s.generation, s.used_at, s.refreshed_at, s.expires_at, m.role
           from identity.sessions s
           join identity.memberships m on m.organization_id = s.organization_id and m.user_id = s.user_id
           where s.organization_id = $1 and s.id = $2 and s.ended_at is null
           for update of s"#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        let session = Session {
            id,
            user_id: row.user_id,
            generation: u32::try_from(row.generation)
                .map_err(|_| DbError::inconsistent("sessions", "generation", id))?,
            used_at: row.used_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
        };
        Ok((session, super::organizations::role(&row.role, id)?))
    })
    .transpose()
}

/// What a rotation changed.
#[tracing::instrument(name = "db.sessions.update", skip_all)]
pub(crate) async fn update(tx: &mut TenantTx, session: &Session) -> Result<(), DbError> {
    let generation = i32::try_from(session.generation)
        .map_err(|_| DbError::inconsistent("sessions", "generation", session.id))?;
    sqlx::query!(
        "update identity.sessions set generation = $3, used_at = $4, refreshed_at = $5
         where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        session.id.as_uuid(),
        generation,
        &session.used_at,
        session.refreshed_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a session; its person, unless it had ended already.
#[tracing::instrument(name = "db.sessions.end", skip_all)]
pub(crate) async fn end(
    tx: &mut TenantTx,
    id: SessionId,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, DbError> {
    let user_id = sqlx::query_scalar!(
        r#"update identity.sessions set ended_at = $3, end_reason = $4
           where organization_id = $1 and id = $2 and ended_at is null
           returning user_id as "user_id: UserId""#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        now,
        reason.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(user_id)
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
