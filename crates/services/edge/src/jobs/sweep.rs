//! Old receipts and events go.

use std::time::Duration;

use bus::Jitter;
use chrono::{DateTime, TimeDelta};
use db::{Db, DbError, SystemTx, retention};
use tokio_util::sync::CancellationToken;

use crate::{events::publish::WHATSAPP_RECEIVED, store::webhooks};

const DAY: Duration = Duration::from_hours(24);
/// Meta repeats a delivery for up to 7 days, and the receipt is the only guard against the repeat.
const RECEIPTS_KEPT: Duration = DAY.saturating_mul(14);
/// Between sweeps, at most.
const INTERVAL: Duration = Duration::from_hours(1);
/// Rows deleted in one transaction. Events carry whole bodies.
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
            Ok((receipts, events)) => tracing::info!(receipts, events, "swept"),
            Err(error) => tracing::warn!(
                error = errors::chain(&error),
                "not everything old was deleted"
            ),
        }
    }
}

async fn sweep(db: &Db, stop: &CancellationToken) -> Result<(u64, u64), DbError> {
    let kept = DAY.saturating_mul(WHATSAPP_RECEIVED.retention_days);
    let events = retention::sweep(db, retention::Table::Outbox, kept, BATCH, stop).await?;
    let receipts = sweep_receipts(db, stop).await?;
    Ok((receipts, events))
}

async fn sweep_receipts(db: &Db, stop: &CancellationToken) -> Result<u64, DbError> {
    let before = TimeDelta::from_std(RECEIPTS_KEPT)
        .ok()
        .and_then(|kept| db.clock().now().checked_sub_signed(kept))
        .unwrap_or(DateTime::UNIX_EPOCH);
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
