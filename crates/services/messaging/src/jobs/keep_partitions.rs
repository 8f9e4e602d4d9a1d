//! Makes the partitions of the coming months, well before they are needed.

use std::time::Duration;

use chrono::TimeDelta;
use db::{Db, SystemTx};
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// How far ahead partitions exist.
const AHEAD: TimeDelta = TimeDelta::days(92);
const INTERVAL: Duration = Duration::from_hours(6);

/// Looks now and every six hours until `stop`. Every replica may: a partition is made once.
pub(crate) async fn run(db: Db, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match ensure(&db).await {
            Ok(0) => {}
            Ok(made) => tracing::info!(made, "made partitions of messages"),
            Err(error) => tracing::warn!(error = errors::chain(&error), "can't make partitions"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn ensure(db: &Db) -> Result<i32, Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "partitions of messages").await?;
    let made = sqlx::query_scalar!(
        r#"select messaging.ensure_message_partitions($1, $2) as "made!""#,
        now,
        now + AHEAD,
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(made)
}
