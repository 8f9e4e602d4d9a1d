//! Makes the partitions of the coming months, well before they are needed.

use std::time::Duration;

use chrono::TimeDelta;
use db::{Db, SystemTx};
use tokio_util::sync::CancellationToken;

use super::every;
use crate::error::Error;

/// How far ahead partitions exist.
const AHEAD: TimeDelta = TimeDelta::days(92);
const INTERVAL: Duration = Duration::from_hours(6);

/// Looks now and every six hours until `stop`.
pub(crate) async fn run(db: Db, stop: CancellationToken) {
    every(INTERVAL, stop, "keep-partitions", || ensure(&db)).await;
}

/// One replica at a time; whoever comes meanwhile leaves it to that one. A new partition waits for
/// statements on `messages` and holds up new ones as long, for which the database sets the limit.
async fn ensure(db: &Db) -> Result<bool, Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "partitions of messages").await?;
    let made = sqlx::query_scalar!(
        r#"select case when pg_try_advisory_xact_lock(hashtextextended('messaging.keep_partitions', 0))
                       then messaging.ensure_message_partitions($1, $2) else 0 end as "made!""#,
        now,
        now + AHEAD,
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    if made > 0 {
        tracing::info!(made, "made partitions of messages");
    }
    Ok(false)
}
