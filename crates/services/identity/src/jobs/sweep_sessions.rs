//! Old sessions go.

use std::time::Duration;

use chrono::TimeDelta;
use db::{Db, DbError, SystemTx};
use tokio_util::sync::CancellationToken;

use crate::store::sessions;

const PERIOD: Duration = Duration::from_hours(1);
/// Of one pass: one that hangs must not be the last.
const TIMEOUT: Duration = Duration::from_mins(10);
const BATCH: u32 = 1_000;
/// Sessions are kept this long after they could have been used, for whoever asks where a login came from.
const KEPT: TimeDelta = TimeDelta::days(30);

pub(crate) async fn run(db: Db, stop: CancellationToken) {
    loop {
        match tokio::time::timeout(TIMEOUT, sweep(&db, &stop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                error = errors::chain(&error),
                "can't delete all old sessions; the next try is in an hour"
            ),
            Err(_) => {
                tracing::warn!("too many old sessions for one pass; the next one goes on");
            }
        }
        tokio::select! {
            () = db.clock().sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn sweep(db: &Db, stop: &CancellationToken) -> Result<(), DbError> {
    let before = db.clock().now() - KEPT;
    while !stop.is_cancelled() {
        let mut tx = SystemTx::begin(db, "retention").await?;
        let gone = sessions::sweep(&mut tx, before, BATCH.into()).await?;
        tx.commit().await?;
        if gone < u64::from(BATCH) {
            break;
        }
    }
    Ok(())
}
