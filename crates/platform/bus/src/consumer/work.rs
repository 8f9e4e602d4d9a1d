//! Settling the batches of a consumer's queue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use db::deferred::Failure;
use ids::EventId;
use lapin::message::Delivery as Message;
use tokio::sync::Notify;
use tracing::Instrument;

use super::{
    attempt::{Attempts, Failed, Tally},
    intake::{Patience, Settle, Settled},
    outcome::BatchHandler,
};
use crate::{Delivery, Envelope, stored, trace};

/// After this many failures in a row it is not the events that are at fault. The consumer then
/// tries one event now and then instead of moving the whole queue into the table of failures.
const SUSPICIOUS: u32 = 20;
/// Pauses between those single events.
const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(30);

pub(super) struct Work<H> {
    attempts: Attempts<H>,
    failed: Arc<Notify>,
    /// Events in a row that failed for a reason which may pass.
    failures: u32,
}

impl<H: BatchHandler> Work<H> {
    /// `failed` is told when an event waits for its next attempt.
    pub(super) const fn new(attempts: Attempts<H>, failed: Arc<Notify>) -> Self {
        Self {
            attempts,
            failed,
            failures: 0,
        }
    }

    const fn suspicious(&self) -> bool {
        self.failures >= SUSPICIOUS
    }

    fn note(&mut self, tally: Tally) {
        self.attempts.count(tally);
        if tally.deferred > 0 {
            self.failed.notify_one();
        }
        if tally.done > 0 {
            if self.suspicious() {
                tracing::info!(bus.queue = self.attempts.queue, "events succeed again");
            }
            self.failures = 0;
        } else {
            let deferred = u32::try_from(tally.deferred).unwrap_or(u32::MAX);
            self.failures = self.failures.saturating_add(deferred);
        }
    }

    /// The whole batch in one transaction, or else one by one.
    async fn work_through(
        &mut self,
        deliveries: &[Delivery],
        unreadable: &[Failure],
        patience: &mut Patience,
    ) -> Settled {
        loop {
            let failed = match self.attempts.batch(deliveries, unreadable).await {
                Ok(tally) => {
                    self.note(tally);
                    return Settled::Acknowledge;
                }
                Err(failed) => failed,
            };
            if self.attempts.database_is_down().await {
                self.log_hold(&failed);
                if !patience.hold_on().await {
                    return Settled::Abandon;
                }
                continue;
            }
            if let ([delivery], []) = (deliveries, unreadable) {
                return self.defer(delivery, failed, patience).await;
            }
            tracing::debug!(
                bus.queue = self.attempts.queue,
                error = failed.reason,
                count = deliveries.len(),
                "a batch failed; handling its events one by one"
            );
            return self.one_by_one(deliveries, unreadable, patience).await;
        }
    }

    async fn one_by_one(
        &mut self,
        deliveries: &[Delivery],
        unreadable: &[Failure],
        patience: &mut Patience,
    ) -> Settled {
        for failure in unreadable {
            let settled = self
                .alone(&[], std::slice::from_ref(failure), patience)
                .await;
            if settled == Settled::Abandon {
                return settled;
            }
        }
        for delivery in deliveries {
            let settled = self
                .alone(std::slice::from_ref(delivery), &[], patience)
                .await;
            if settled == Settled::Abandon {
                return settled;
            }
        }
        Settled::Acknowledge
    }

    /// One event, until it is settled one way or the other.
    async fn alone(
        &mut self,
        delivery: &[Delivery],
        unreadable: &[Failure],
        patience: &mut Patience,
    ) -> Settled {
        loop {
            let failed = match self.attempts.batch(delivery, unreadable).await {
                Ok(tally) => {
                    self.note(tally);
                    return Settled::Acknowledge;
                }
                Err(failed) => failed,
            };
            if let [delivery] = delivery
                && !self.attempts.database_is_down().await
            {
                return self.defer(delivery, failed, patience).await;
            }
            self.log_hold(&failed);
            if !patience.hold_on().await {
                return Settled::Abandon;
            }
        }
    }

    async fn defer(
        &mut self,
        delivery: &Delivery,
        failed: Failed,
        patience: &mut Patience,
    ) -> Settled {
        loop {
            match self.attempts.defer(delivery, &failed).await {
                Ok(tally) => {
                    self.note(tally);
                    return Settled::Acknowledge;
                }
                // Neither handled nor recorded: it must not be acknowledged.
                Err(error) => self.log_hold(&Failed::from(error)),
            }
            if !patience.hold_on().await {
                return Settled::Abandon;
            }
        }
    }

    fn log_hold(&self, failed: &Failed) {
        tracing::warn!(
            bus.queue = self.attempts.queue,
            error = failed.reason,
            "the database can't be used; holding the deliveries"
        );
    }

    fn probe_pause(&self) -> Duration {
        let doublings = (self.failures - SUSPICIOUS).min(10);
        PROBE_MIN.saturating_mul(1 << doublings).min(PROBE_MAX)
    }
}

impl<H: BatchHandler> Settle for Work<H> {
    fn appetite(&self) -> usize {
        if self.suspicious() { 1 } else { usize::MAX }
    }

    async fn settle(&mut self, batch: Vec<Message>, patience: &mut Patience) -> Settled {
        let began = Instant::now();
        let size = batch.len();
        let (deliveries, unreadable) = open(batch);
        if self.suspicious() {
            let pause = self.probe_pause();
            tracing::warn!(
                bus.queue = self.attempts.queue,
                failures = self.failures,
                pause_s = pause.as_secs(),
                "every event fails; trying one now and then"
            );
            patience.rest(pause).await;
        }
        let span = tracing::info_span!(
            "consume",
            bus.queue = self.attempts.queue,
            batch.size = size
        );
        trace::tie(&span, &deliveries);
        let settled = self
            .work_through(&deliveries, &unreadable, patience)
            .instrument(span)
            .await;
        self.attempts
            .metrics
            .batch(self.attempts.queue, size, began.elapsed());
        settled
    }
}

/// Tells events from messages that are none.
pub(super) fn open(batch: Vec<Message>) -> (Vec<Delivery>, Vec<Failure>) {
    let mut deliveries = Vec::with_capacity(batch.len());
    let mut unreadable = Vec::new();
    for message in batch {
        match Envelope::from_properties(&message.properties) {
            Ok(envelope) => deliveries.push(Delivery {
                envelope,
                exchange: message.exchange.to_string(),
                routing_key: message.routing_key.to_string(),
                payload: message.data,
                attempts: 0,
            }),
            Err(error) => {
                let event_id = message
                    .properties
                    .message_id()
                    .as_ref()
                    .and_then(|id| id.as_str().parse().ok())
                    .unwrap_or_else(EventId::generate);
                let reason = error.to_string();
                let failure =
                    stored::unreadable(event_id, &message.properties, message.data, &reason);
                unreadable.push(failure);
            }
        }
    }
    (deliveries, unreadable)
}
