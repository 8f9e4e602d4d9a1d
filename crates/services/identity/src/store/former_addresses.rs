//! Addresses that people had.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::UserId;

/// Notes the person's present address before it changes. `changed_at` is in microseconds, as PostgreSQL keeps times.
#[tracing::instrument(name = "db.former_addresses.insert", skip_all)]
pub(crate) async fn keep(
    tx: &mut SystemTx,
    user_id: UserId,
    changed_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.former_addresses (user_id, changed_at, email)
         select id, $2, email from identity.users where id = $1
         on conflict (user_id, changed_at) do nothing",
        user_id.as_uuid(),
        changed_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes up to `batch` addresses that were changed before `before`; how many.
#[tracing::instrument(name = "db.former_addresses.sweep", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.former_addresses where ctid = any(array(
             select ctid from identity.former_addresses where changed_at < $1 order by changed_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
