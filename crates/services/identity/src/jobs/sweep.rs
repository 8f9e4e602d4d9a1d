//! Deletes rows that nothing needs any more.

use std::time::Duration;

use chrono::TimeDelta;
use db::{
    Db, DbError, SystemTx,
    retention::{self, Table},
};
use tokio_util::sync::CancellationToken;

use crate::store::sessions;

const PERIOD: Duration = Duration::from_hours(1);
const BATCH: u32 = 1_000;
/// Sessions are kept this long after they could have been used, for whoever asks where a login came from.
const SESSIONS_KEPT: TimeDelta = TimeDelta::days(30);

pub(crate) async fn run(db: Db, stop: CancellationToken) {
    loop {
        if let Err(error) = sweep(&db, &stop).await {
            tracing::warn!(
                error.chain = errors::chain(&error),
                "the sweep failed; the next one is in an hour"
            );
        }
        tokio::select! {
            () = db.clock().sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn sweep(db: &Db, stop: &CancellationToken) -> Result<(), DbError> {
    for table in Table::ALL {
        retention::sweep(db, table, table.kept(), BATCH, stop).await?;
    }
    let before = db.clock().now() - SESSIONS_KEPT;
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
