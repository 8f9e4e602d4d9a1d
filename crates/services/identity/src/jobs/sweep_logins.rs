//! What logins leave behind goes: wrong guesses, links of e-mails, invitations, revocations, bounces that do not count any more.

use std::time::Duration;

use auth::LIFETIME;
use chrono::TimeDelta;
use db::{Db, DbError, SystemTx};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{suppression::BOUNCES_COUNT_FOR, throttle::FORGOTTEN_AFTER},
    store::{email_links, former_addresses, invitations, revocations, suppressions, throttles},
};

const PERIOD: Duration = Duration::from_hours(1);
/// Of one pass: one that hangs must not be the last.
const TIMEOUT: Duration = Duration::from_mins(10);
const BATCH: u32 = 1_000;
/// Links are kept this long after they could have been used, and former addresses after the change, for whoever asks
/// what was sent.
const LINKS_KEPT: TimeDelta = TimeDelta::days(7);
/// Invitations are kept this long after their end: each has the address of somebody who may never have joined, or has
/// left. Who joined by one is in the audit log.
const INVITATIONS_KEPT: TimeDelta = TimeDelta::days(30);

pub(crate) async fn run(db: Db, stop: CancellationToken) {
    loop {
        match tokio::time::timeout(TIMEOUT, sweep(&db, &stop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                error = errors::chain(&error),
                "can't delete all that old logins left; the next try is in an hour"
            ),
            Err(_) => {
                tracing::warn!("old logins left too much for one pass; the next one goes on");
            }
        }
        tokio::select! {
            () = db.clock().sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn sweep(db: &Db, stop: &CancellationToken) -> Result<(), DbError> {
    let now = db.clock().now();
    while !stop.is_cancelled() {
        let mut tx = SystemTx::begin(db, "retention").await?;
        let before = now - FORGOTTEN_AFTER;
        let guesses = throttles::sweep(&mut tx, before, BATCH.into()).await?;
        let links = email_links::sweep(&mut tx, now - LINKS_KEPT, BATCH.into()).await?;
        let addresses = former_addresses::sweep(&mut tx, now - LINKS_KEPT, BATCH.into()).await?;
        let before = now - BOUNCES_COUNT_FOR;
        let bounces = suppressions::sweep(&mut tx, before, BATCH.into()).await?;
        let before = now - INVITATIONS_KEPT;
        let invitations = invitations::sweep(&mut tx, before, BATCH.into()).await?;
        tx.commit().await?;
        let most = [guesses, links, addresses, bounces, invitations]
            .into_iter()
            .max();
        if most.unwrap_or_default() < u64::from(BATCH) {
            break;
        }
    }
    let mut tx = SystemTx::begin(db, "retention").await?;
    // As long as `ListRevocations` tells of them.
    revocations::sweep(&mut tx, now - 2 * LIFETIME).await?;
    tx.commit().await
}
