//! Old receipts go.

use std::time::Duration;

use clock::{Jitter, earlier};
use db::{Db, DbError, SystemTx};
use tokio_util::sync::CancellationToken;

use crate::store::webhooks;

/// Meta repeats a delivery for up to 7 days and Resend for one, and the receipt is the only guard against the repeat.
const KEPT: Duration = Duration::from_hours(14 * 24);
/// Between sweeps, at most.
const INTERVAL: Duration = Duration::from_hours(1);
/// Rows deleted in one transaction.
const BATCH: u32 = 1_000;

/// Sweeps every half hour or hour until the service stops. Replicas may sweep at the same time.
pub(crate) async fn run(db: Db, jitter: Jitter, stop: CancellationToken) {
    loop {
        let pause = db.clock().sleep(jitter.shorten(INTERVAL));
        tokio::select! {
            () = stop.cancelled() => return,
            () = pause => {}
        }
        match sweep(&db, &stop).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(db.rows = rows, "deleted old receipts"),
            Err(error) => tracing::warn!(
                error = errors::chain(&error),
                "can't delete all old receipts; the next try is within an hour"
            ),
        }
    }
}

async fn sweep(db: &Db, stop: &CancellationToken) -> Result<u64, DbError> {
    let before = earlier(db.clock().now(), KEPT);
    let mut swept = 0;
    while !stop.is_cancelled() {
        let mut tx = SystemTx::begin(db, "retention").await?;
        let gone = webhooks::delete_before(&mut tx, before, BATCH.into()).await?;
        tx.commit().await?;
        swept += gone;
        if gone == 0 {
            break;
        }
    }
    Ok(swept)
}
