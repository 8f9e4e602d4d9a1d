//! Opens snoozed conversations when their time has come.

use std::time::Duration;

use db::{Db, SystemTx};
use tokio_util::sync::CancellationToken;

use super::every;
use crate::{
    error::Error,
    ops,
    store::work::{self, Work},
};

const INTERVAL: Duration = Duration::from_secs(10);
/// Conversations of one transaction.
const BATCH: u32 = 200;
/// Who does it, for those who read the conversation.
const ACTOR: &str = "system:snooze";

/// Looks every ten seconds until `stop`. Every replica may: one skips what the other has taken.
pub(crate) async fn run(db: Db, stop: CancellationToken) {
    every(INTERVAL, stop, "wake-snoozed", || pass(&db)).await;
}

/// One batch; true when there may be more.
pub(crate) async fn pass(db: &Db) -> Result<bool, Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "snoozed conversations whose time has come").await?;
    let due = work::lock_due(tx.conn(), now, i64::from(BATCH)).await?;
    let more = due.len() == BATCH as usize;
    let woken: Vec<(Work, Work)> = due
        .into_iter()
        .map(|before| {
            let mut after = before.clone();
            after.open();
            after.version += 1;
            (before, after)
        })
        .collect();
    ops::changes::save_all(&mut tx, &woken, ACTOR, now).await?;
    tx.commit().await?;
    Ok(more)
}
