//! Second and later attempts: deliveries that wait in the database, one at a time, each handed to
//! the same handler as the first time.

use std::time::Duration;

use db::{
    DbError, SystemTx,
    deferred::{self, Claimed, Due, Fate},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    attempt::{Attempts, Failed},
    outcome::{BatchHandler, ItemOutcome},
};
use crate::{Bus, Delivery, backoff::Backoff};

/// How often due rows are looked for without being told of one.
const POLL: Duration = Duration::from_secs(1);
/// Added to the handler's deadline: how long a row is kept from others.
const LEASE_MARGIN: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Works through what is due until `shutdown`.
pub(super) async fn run<H: BatchHandler>(
    bus: &Bus,
    attempts: &Attempts<H>,
    failed: &Notify,
    shutdown: &CancellationToken,
) {
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX, bus.jitter().clone());
    while !shutdown.is_cancelled() {
        match next(attempts).await {
            Ok(true) => backoff.reset(),
            Ok(false) => {
                backoff.reset();
                let poll = bus.jitter().shorten(POLL);
                tokio::select! {
                    () = bus.clock().sleep(poll) => {}
                    () = failed.notified() => {}
                    () = shutdown.cancelled() => {}
                }
            }
            Err(error) => {
                let cause = errors::chain(&error);
                tracing::warn!(
                    bus.queue = attempts.queue,
                    error = cause,
                    "can't reach the deferred deliveries; trying again"
                );
                tokio::select! {
                    () = tokio::time::sleep(backoff.pause()) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
    }
}

/// Makes the attempt that is due first; false if nothing is due. One row is leased at a time, so that an
/// event which kills the process uses up its own attempts and nobody else's.
async fn next<H: BatchHandler>(attempts: &Attempts<H>) -> Result<bool, DbError> {
    let lease = attempts.timeout + LEASE_MARGIN;
    let mut tx = SystemTx::begin(&attempts.db, attempts.queue).await?;
    let Claimed { due, exhausted } = deferred::due(&mut tx, attempts.queue, 1, lease).await?;
    tx.commit().await?;
    for letter in &exhausted {
        tracing::error!(bus.queue = attempts.queue, event.id = %letter.event_id,
            attempt = letter.attempt, error = "its last attempt never ended",
            "an event became a dead letter");
    }
    attempts
        .metrics
        .deferred(attempts.queue, "dead", exhausted.len());
    attempts
        .metrics
        .dead_letters(attempts.queue, exhausted.len());
    let Some(due) = due.into_iter().next() else {
        // There may be more behind one that was not handed out.
        return Ok(!exhausted.is_empty());
    };
    let delivery = match Delivery::from_due(&due) {
        Ok(delivery) => delivery,
        Err(error) => {
            let reason = errors::chain(&error);
            fail(
                attempts,
                &due,
                &Failed {
                    reason,
                    permanent: true,
                },
            )
            .await?;
            return Ok(true);
        }
    };
    let span = delivery.span();
    attempt(attempts, &due, delivery).instrument(span).await?;
    Ok(true)
}

async fn attempt<H: BatchHandler>(
    attempts: &Attempts<H>,
    due: &Due,
    delivery: Delivery,
) -> Result<(), DbError> {
    let mut tx = SystemTx::begin(&attempts.db, attempts.queue).await?;
    let batch = [delivery];
    let failed = match attempts.handle(&mut tx, &batch).await {
        Ok(outcomes) => match outcomes.into_iter().next() {
            Some(ItemOutcome::Done) | None => return done(attempts, tx, due).await,
            Some(ItemOutcome::Retry(reason)) => Failed {
                reason,
                permanent: false,
            },
            Some(ItemOutcome::Dead(reason)) => Failed {
                reason,
                permanent: true,
            },
        },
        Err(failed) => failed,
    };
    drop(tx);
    fail(attempts, due, &failed).await
}

async fn done<H: BatchHandler>(
    attempts: &Attempts<H>,
    mut tx: SystemTx,
    due: &Due,
) -> Result<(), DbError> {
    if !deferred::resolve(&mut tx, due).await? {
        // The lease ran out and another replica has the row: its effects count, ours are undone.
        attempts.metrics.deferred(attempts.queue, "taken", 1);
        return Ok(());
    }
    tx.commit().await?;
    attempts.metrics.deferred(attempts.queue, "done", 1);
    tracing::info!(bus.queue = attempts.queue, event.id = %due.event_id, attempt = due.attempt,
        "a failed event succeeded");
    Ok(())
}

async fn fail<H: BatchHandler>(
    attempts: &Attempts<H>,
    due: &Due,
    failed: &Failed,
) -> Result<(), DbError> {
    let reason = failed.reason.replace('\0', "");
    let mut tx = SystemTx::begin(&attempts.db, attempts.queue).await?;
    let fate = deferred::record_failure(&mut tx, due, &reason, failed.permanent).await?;
    tx.commit().await?;
    let (queue, event_id, attempt) = (attempts.queue, due.event_id, due.attempt);
    match fate {
        Fate::RetryAt(at) => {
            attempts.metrics.deferred(queue, "failed", 1);
            tracing::warn!(bus.queue = queue, event.id = %event_id, attempt, error = reason,
                retry.at = %at, "an event failed again");
        }
        Fate::Dead => {
            attempts.metrics.deferred(queue, "dead", 1);
            attempts.metrics.dead_letters(queue, 1);
            tracing::error!(bus.queue = queue, event.id = %event_id, attempt, error = reason,
                "an event became a dead letter");
        }
        Fate::Taken => attempts.metrics.deferred(queue, "taken", 1),
    }
    Ok(())
}
