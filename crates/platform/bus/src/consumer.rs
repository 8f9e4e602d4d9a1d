//! Consuming: deliveries are gathered into batches and handled in one transaction that remembers
//! the events, has their effects and writes what follows from them; only then they are
//! acknowledged. What fails is told apart from its neighbours and waits in the database for its
//! next attempt, so the broker never redelivers on our account.

mod attempt;
mod drain;
mod intake;
mod outcome;
mod retry;
mod work;

use std::sync::Arc;

use db::Db;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{Bus, Subscription, names::dead_letter_queue};

pub use outcome::{BatchHandler, HandlerError, ItemOutcome};

use attempt::Attempts;
use drain::Drain;
use intake::{Limits, consume};
use work::Work;

/// One queue and who handles it.
#[derive(Debug)]
pub struct Consumer<H> {
    db: Db,
    bus: Bus,
    queue: &'static str,
    handler: Arc<H>,
    prefetch: u16,
}

/// Consumes the queue of `subscription` with the limits of the configuration. See [`Consumer`].
pub async fn run<H: BatchHandler>(
    db: Db,
    bus: Bus,
    subscription: &Subscription,
    handler: H,
    shutdown: CancellationToken,
) {
    Consumer::new(db, bus, subscription, handler)
        .run(shutdown)
        .await;
}

impl<H: BatchHandler> Consumer<H> {
    /// A consumer of the queue that `subscription` names.
    pub fn new(db: Db, bus: Bus, subscription: &Subscription, handler: H) -> Self {
        Self {
            prefetch: bus.config().prefetch,
            db,
            bus,
            queue: subscription.queue,
            handler: Arc::new(handler),
        }
    }

    /// Holds at most this many unacknowledged deliveries instead of the configured number: fewer
    /// where an event can take long.
    #[must_use]
    pub const fn prefetch(mut self, prefetch: u16) -> Self {
        self.prefetch = prefetch;
        self
    }

    /// Runs until `shutdown`, then finishes the batch at hand. Besides the queue it works through
    /// the deferred deliveries of this consumer and moves what the broker gave up on (the queue's
    /// dead-letter queue) to them. Several replicas may run the same consumer.
    pub async fn run(self, shutdown: CancellationToken) {
        let _working = self.bus.consumers().token();
        if !self.bus.topology().queues().contains(&self.queue) {
            // Returning ends a task that should run, which stops the service: it can't work.
            tracing::error!(
                bus.queue = self.queue,
                "no subscription of the topology has this queue"
            );
            return;
        }
        let failed = Arc::new(Notify::new());
        let attempts = Attempts {
            db: self.db.clone(),
            handler: self.handler,
            queue: self.queue,
            timeout: self.bus.config().handler_timeout(),
            metrics: self.bus.metrics().clone(),
        };
        let dead_letters = dead_letter_queue(self.queue);
        let mut work = Work::new(attempts.clone(), Arc::clone(&failed));
        let mut drain = Drain::new(
            self.db,
            self.queue,
            attempts.metrics.clone(),
            Arc::clone(&failed),
        );
        let limits = Limits {
            prefetch: self.prefetch.max(1),
            batch_max: self.bus.config().batch_max.max(1),
        };
        tokio::join!(
            consume(&self.bus, self.queue, limits, &mut work, &shutdown),
            consume(
                &self.bus,
                &dead_letters,
                drain::LIMITS,
                &mut drain,
                &shutdown
            ),
            retry::run(&self.bus, &attempts, &failed, &shutdown),
        );
    }
}
