//! One attempt at some deliveries, in one transaction.

use std::{collections::HashSet, fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use db::{Db, DbError, SystemTx, deferred, deferred::Failure, inbox};
use futures::FutureExt;
use uuid::Uuid;

use super::outcome::{BatchHandler, ItemOutcome};
use crate::{Delivery, metrics::Metrics};

/// Everything an attempt needs.
pub(super) struct Attempts<H> {
    pub(super) db: Db,
    pub(super) handler: Arc<H>,
    pub(super) queue: &'static str,
    pub(super) timeout: Duration,
    pub(super) metrics: Metrics,
}

impl<H> Clone for Attempts<H> {
    fn clone(&self) -> Self {
        Self {
            db: self.db.clone(),
            handler: Arc::clone(&self.handler),
            queue: self.queue,
            timeout: self.timeout,
            metrics: self.metrics.clone(),
        }
    }
}

/// Why an attempt was rolled back.
#[derive(Debug)]
pub(super) struct Failed {
    /// The chain of errors, for the log and the row.
    pub(super) reason: String,
    /// Trying again can't help.
    pub(super) permanent: bool,
}

impl From<DbError> for Failed {
    fn from(error: DbError) -> Self {
        Self {
            reason: errors::chain(&error),
            permanent: false,
        }
    }
}

/// How many deliveries of a committed attempt had which fate.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) done: usize,
    pub(super) duplicate: usize,
    pub(super) deferred: usize,
    pub(super) dead: usize,
}

impl<H: BatchHandler> Attempts<H> {
    /// Handles `deliveries` and buries `unreadable`, all or nothing. Deliveries known already have
    /// no second effect.
    pub(super) async fn batch(
        &self,
        deliveries: &[Delivery],
        unreadable: &[Failure],
    ) -> Result<Tally, Failed> {
        let mut tx = SystemTx::begin(&self.db, self.queue).await?;
        let mut new = claim(&mut tx, self.queue, deliveries, unreadable).await?;
        let mut failures = unreadable.to_vec();
        failures.retain(|failure| new.remove(&failure.event_id.as_uuid()));
        let fresh = fresh(deliveries, new);
        let mut tally = Tally {
            dead: failures.len(),
            duplicate: deliveries.len() + unreadable.len() - fresh.len() - failures.len(),
            ..Tally::default()
        };
        if !fresh.is_empty() {
            let outcomes = self.handle(&mut tx, &fresh).await?;
            for (delivery, outcome) in fresh.iter().zip(outcomes) {
                match outcome {
                    ItemOutcome::Done => tally.done += 1,
                    ItemOutcome::Retry(reason) => {
                        tally.deferred += 1;
                        failures.push(delivery.to_failure(&reason, false));
                    }
                    ItemOutcome::Dead(reason) => {
                        tally.dead += 1;
                        failures.push(delivery.to_failure(&reason, true));
                    }
                }
            }
        }
        record(tx, self.queue, &failures).await?;
        Ok(tally)
    }

    /// Records that one delivery failed alone. It counts as taken in: its further attempts are
    /// made from the row, and a redelivery by the broker has nothing to add.
    pub(super) async fn defer(
        &self,
        delivery: &Delivery,
        failed: &Failed,
    ) -> Result<Tally, DbError> {
        let failure = delivery.to_failure(&failed.reason, failed.permanent);
        let new = record_new(&self.db, self.queue, vec![failure]).await?;
        let mut tally = Tally::default();
        *match (new.is_empty(), failed.permanent) {
            (true, _) => &mut tally.duplicate,
            (false, true) => &mut tally.dead,
            (false, false) => &mut tally.deferred,
        } = 1;
        Ok(tally)
    }

    /// Calls the handler within its deadline. A panic is a failure of this batch, not of the
    /// process: the process would take the innocent deliveries around it down with it.
    pub(super) async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, Failed> {
        let retryable = |reason: String| Failed {
            reason,
            permanent: false,
        };
        let handled = AssertUnwindSafe(self.handler.handle(tx, batch)).catch_unwind();
        let outcomes = match tokio::time::timeout(self.timeout, handled).await {
            Ok(Ok(Ok(outcomes))) => outcomes,
            Ok(Ok(Err(error))) => {
                return Err(Failed {
                    reason: error.chain(),
                    permanent: error.is_permanent(),
                });
            }
            Ok(Err(_panic)) => return Err(retryable("the handler panicked".to_owned())),
            Err(_elapsed) => {
                let ms = self.timeout.as_millis();
                return Err(retryable(format!("the handler took longer than {ms} ms")));
            }
        };
        if outcomes.len() == batch.len() {
            Ok(outcomes)
        } else {
            let (answered, asked) = (outcomes.len(), batch.len());
            Err(retryable(format!(
                "the handler answered {answered} outcomes for {asked} events"
            )))
        }
    }

    /// Whether the database can be used at all. If not, a failure says nothing about the event.
    pub(super) async fn database_is_down(&self) -> bool {
        self.db.ping().await.is_err()
    }

    pub(super) fn count(&self, tally: Tally) {
        for (outcome, count) in [
            ("done", tally.done),
            ("duplicate", tally.duplicate),
            ("deferred", tally.deferred),
            ("dead", tally.dead),
        ] {
            self.metrics.consumed(self.queue, outcome, count);
        }
        self.metrics.dead_letters(self.queue, tally.dead);
    }
}

impl<H> fmt::Debug for Attempts<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// Records failures of events that are new to the consumer of `queue`, and answers these. An event
/// that was taken in before has had its effect or has its row already.
pub(super) async fn record_new(
    db: &Db,
    queue: &'static str,
    mut failures: Vec<Failure>,
) -> Result<Vec<Failure>, DbError> {
    let mut tx = SystemTx::begin(db, queue).await?;
    let mut new = claim(&mut tx, queue, &[], &failures).await?;
    failures.retain(|failure| new.remove(&failure.event_id.as_uuid()));
    record(tx, queue, &failures).await?;
    Ok(failures)
}

/// The end of an attempt: what failed is written down with what did not, and told.
async fn record(mut tx: SystemTx, queue: &str, failures: &[Failure]) -> Result<(), DbError> {
    deferred::record_failures(&mut tx, queue, failures).await?;
    tx.commit().await?;
    for failure in failures {
        let (event_id, event_type) = (failure.event_id, &failure.event_type);
        if failure.permanent {
            tracing::error!(bus.queue = queue, event.id = %event_id, event.type = %event_type,
                error = failure.error, "an event became a dead letter");
        } else {
            tracing::warn!(bus.queue = queue, event.id = %event_id, event.type = %event_type,
                error = failure.error, "an event failed and will be tried again");
        }
    }
    Ok(())
}

async fn claim(
    tx: &mut SystemTx,
    queue: &str,
    deliveries: &[Delivery],
    unreadable: &[Failure],
) -> Result<HashSet<Uuid>, DbError> {
    let ids: Vec<Uuid> = deliveries
        .iter()
        .map(|delivery| delivery.envelope.event_id)
        .chain(unreadable.iter().map(|failure| failure.event_id))
        .map(ids::EventId::as_uuid)
        .collect();
    inbox::claim(tx, queue, &ids).await
}

/// The deliveries whose event is new, each event once even if the batch holds it twice.
fn fresh(deliveries: &[Delivery], mut new: HashSet<Uuid>) -> std::borrow::Cow<'_, [Delivery]> {
    if new.len() == deliveries.len() {
        return deliveries.into();
    }
    deliveries
        .iter()
        .filter(|delivery| new.remove(&delivery.envelope.event_id.as_uuid()))
        .cloned()
        .collect::<Vec<_>>()
        .into()
}
