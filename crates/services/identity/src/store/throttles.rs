//! Wrong guesses. Without a tenant: a login knows none yet.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};

use crate::domain::throttle::Counter;

/// A counter, locked. One that nobody has moved yet failed in 1970, which every rule has forgotten.
#[tracing::instrument(name = "db.throttles.lock", skip_all)]
pub(crate) async fn lock(tx: &mut SystemTx, key: &[u8]) -> Result<Counter, DbError> {
    let row = sqlx::query!(
        "insert into identity.throttles (key, failures, failed_at) values ($1, 1, 'epoch')
         on conflict (key) do update set key = excluded.key
         returning failures, failed_at, blocked_until",
        key,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Counter {
        failures: u32::try_from(row.failures)
            .map_err(|_| DbError::inconsistent("throttles", "failures", row.failures))?,
        failed_at: row.failed_at,
        blocked_until: row.blocked_until,
    })
}

/// Stores a counter; one without failures is none.
#[tracing::instrument(name = "db.throttles.update", skip_all)]
pub(crate) async fn store(tx: &mut SystemTx, key: &[u8], counter: &Counter) -> Result<(), DbError> {
    if counter.failures == 0 {
        return delete(tx, key).await;
    }
    let failures = i32::try_from(counter.failures)
        .map_err(|_| DbError::inconsistent("throttles", "failures", counter.failures))?;
    sqlx::query!(
        "update identity.throttles set failures = $2, failed_at = $3, blocked_until = $4 where key = $1",
        key,
        failures,
        counter.failed_at,
        counter.blocked_until,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets a counter.
#[tracing::instrument(name = "db.throttles.delete", skip_all)]
pub(crate) async fn delete(tx: &mut SystemTx, key: &[u8]) -> Result<(), DbError> {
    sqlx::query!("delete from identity.throttles where key = $1", key)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Deletes up to `batch` counters that last moved before `before`; how many.
#[tracing::instrument(name = "db.throttles.sweep", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.throttles where ctid = any(array(
             select ctid from identity.throttles where failed_at < $1 order by failed_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
