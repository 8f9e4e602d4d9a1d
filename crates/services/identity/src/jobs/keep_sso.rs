//! What single sign-on leaves behind goes, and metadata of providers is looked at once a day.

use std::time::Duration;

use chrono::TimeDelta;
use db::{Db, DbError, SystemTx};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    ops::{Tools, sso::refresh_metadata::refresh_metadata},
    store::sso::{connections, flows, traces},
};

const PERIOD: Duration = Duration::from_hours(1);
/// Of one pass: one that hangs must not be the last.
const TIMEOUT: Duration = Duration::from_mins(10);
const BATCH: i64 = 1_000;
/// For the administrator who asks why a login failed.
const TRACES_KEPT: TimeDelta = TimeDelta::days(30);
/// A login that comes too late is told so for a while.
const FLOWS_KEPT: TimeDelta = TimeDelta::hours(1);
/// Between two looks at the metadata of one connection.
const LOOK: TimeDelta = TimeDelta::days(1);

pub(crate) async fn run(tools: Tools, stop: CancellationToken) {
    loop {
        match tokio::time::timeout(TIMEOUT, pass(&tools, &stop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                error = errors::chain(&error),
                "can't look after single sign-on; the next try is in an hour"
            ),
            Err(_) => tracing::warn!("too much for one pass; the next one goes on"),
        }
        tokio::select! {
            () = tools.db.clock().sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn pass(tools: &Tools, stop: &CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() && sweep(&tools.db).await? {}
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "refresh metadata").await?;
    let due = connections::list_due(&mut tx, now - LOOK, BATCH).await?;
    tx.commit().await?;
    for id in due {
        if stop.is_cancelled() {
            break;
        }
        // One that can't be looked after must not be in the way of the others.
        if let Err(error) = refresh_metadata(tools, id).await {
            tracing::warn!(
                sso_connection.id = %id,
                error = errors::chain(&error),
                "can't refresh the metadata of a connection; the next try is in an hour"
            );
        }
    }
    Ok(())
}

/// Whether there may be more.
async fn sweep(db: &Db) -> Result<bool, DbError> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "retention").await?;
    let gone = [
        flows::sweep(&mut tx, now - FLOWS_KEPT, BATCH).await?,
        flows::sweep_assertions(&mut tx, now, BATCH).await?,
        traces::sweep(&mut tx, now - TRACES_KEPT, BATCH).await?,
    ];
    tx.commit().await?;
    Ok(gone.into_iter().any(|gone| gone >= BATCH.unsigned_abs()))
}
