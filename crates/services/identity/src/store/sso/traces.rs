//! How logins ended.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx, TenantTx};
use ids::{OrganizationId, SsoConnectionId, SsoTraceId};

/// Of one connection: anybody who knows its address can fail at it.
const KEPT: i64 = 1_000;

#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) id: SsoTraceId,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) succeeded: bool,
    /// A stable word.
    pub(crate) reason: String,
    /// A sentence for the administrator.
    pub(crate) detail: String,
}

/// Adds a trace; of the connection's the last 1,000 stay.
#[tracing::instrument(name = "db.sso_traces.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    connection_id: SsoConnectionId,
    trace: &Trace,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sso_traces (organization_id, id, connection_id, occurred_at, succeeded, reason, detail)
         values ($1, $2, $3, $4, $5, $6, $7)",
        organization_id.as_uuid(),
        trace.id.as_uuid(),
        connection_id.as_uuid(),
        trace.occurred_at,
        trace.succeeded,
        trace.reason,
        trace.detail,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.sso_traces where organization_id = $1 and connection_id = $2 and id <= (
             select id from identity.sso_traces where organization_id = $1 and connection_id = $2
             order by id desc offset $3 limit 1)",
        organization_id.as_uuid(),
        connection_id.as_uuid(),
        KEPT,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Of one connection, newest first, behind the key `after`.
#[tracing::instrument(name = "db.sso_traces.list", skip_all)]
pub(crate) async fn list(
    tx: &mut TenantTx,
    connection_id: SsoConnectionId,
    after: Option<SsoTraceId>,
    limit: i64,
) -> Result<Vec<Trace>, DbError> {
    let traces = sqlx::query_as!(
        Trace,
        r#"select id as "id: SsoTraceId", occurred_at, succeeded, reason, detail
           from identity.sso_traces
           where organization_id = $1 and connection_id = $2 and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        tx.organization_id().as_uuid(),
        connection_id.as_uuid(),
        after.map(SsoTraceId::as_uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(traces)
}

/// Deletes up to `batch` traces from before `before`; how many.
#[tracing::instrument(name = "db.sso_traces.delete", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.sso_traces where ctid = any(array(
             select ctid from identity.sso_traces where occurred_at < $1 order by occurred_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
