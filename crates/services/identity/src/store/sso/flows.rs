//! Logins under way, and assertions that were accepted.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, SsoConnectionId, SsoFlowId};

use crate::domain::sso::{Flow, ReturnPath};

#[tracing::instrument(name = "db.sso_flows.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    flow: &Flow,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sso_flows
             (organization_id, id, connection_id, pending, browser_hash, return_to, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        organization_id.as_uuid(),
        flow.id.as_uuid(),
        flow.connection_id.as_uuid(),
        flow.pending,
        flow.browser_hash,
        flow.return_to.as_str(),
        now,
        flow.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A login of this connection, locked.
#[tracing::instrument(name = "db.sso_flows.lock", skip_all)]
pub(crate) async fn lock(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    id: SsoFlowId,
) -> Result<Option<Flow>, DbError> {
    let row = sqlx::query!(
        "select pending, browser_hash, return_to, expires_at, used_at from identity.sso_flows
         where organization_id = $1 and connection_id = $2 and id = $3 for update",
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Flow {
        id,
        connection_id,
        pending: row.pending,
        browser_hash: row.browser_hash,
        return_to: ReturnPath::of(&row.return_to),
        expires_at: row.expires_at,
        used_at: row.used_at,
    }))
}

/// The login was ended, well or not: what it was begun with is gone.
#[tracing::instrument(name = "db.sso_flows.update", skip_all)]
pub(crate) async fn r#use(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: SsoFlowId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.sso_flows set used_at = $3, pending = '' where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes note of an assertion. `false` when it was accepted before, here or at another replica.
#[tracing::instrument(name = "db.sso_assertions.insert", skip_all)]
pub(crate) async fn accept_assertion(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    assertion_id: &str,
    expires_at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let inserted = sqlx::query!(
        "insert into identity.sso_assertions (organization_id, connection_id, assertion_id, expires_at)
         values ($1, $2, $3, $4) on conflict (organization_id, connection_id, assertion_id) do nothing",
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        assertion_id,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Deletes up to `batch` logins that nobody can end any more; how many.
#[tracing::instrument(name = "db.sso_flows.delete", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.sso_flows where ctid = any(array(
             select ctid from identity.sso_flows where expires_at < $1 order by expires_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}

/// Deletes up to `batch` assertions that are refused for their age by now; how many.
#[tracing::instrument(name = "db.sso_assertions.delete", skip_all)]
pub(crate) async fn sweep_assertions(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.sso_assertions where ctid = any(array(
             select ctid from identity.sso_assertions where expires_at < $1 order by expires_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
