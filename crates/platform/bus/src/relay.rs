//! From the outbox to the broker. One relay per service works at a time, in whichever replica holds
//! the lock; the others wait for it. Rows are marked published only when the broker confirmed them
//! and did not give them back, so a crash at any point publishes twice rather than never, and the
//! consumers' inboxes make two of one.

mod settled;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use db::{
    Db, DbError, SystemTx,
    leader::Leader,
    outbox::{self, Unpublished, Wake},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Bus, BusError, Envelope, Outgoing, PublishOutcome, Publisher, backoff::Backoff,
    names::events_exchange,
};

use settled::Settled;

/// Rows claimed at once, at most: as many as confirms may be outstanding.
const BATCH_MAX: u32 = 500;
/// How often a standby asks whether the lock is free.
const ELECTION_PAUSE: Duration = Duration::from_secs(1);
/// Pauses after a failure of the database.
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How often the backlog is measured.
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);

/// Publishes the outbox of `db` as the service of `bus` until `shutdown`, and after that until the
/// consumers of `bus` have finished: what they wrote last is published before it returns.
///
/// Within a key, rows are published in the order they were written; a refused row holds back what
/// follows under its key, and nothing else.
pub async fn run(db: Db, bus: Bus, shutdown: CancellationToken) {
    let _working = bus.relays().token();
    let mut relay = Relay::new(db, bus, shutdown);
    let mut backoff = Backoff::new(RETRY_MIN, RETRY_MAX, relay.bus.jitter().clone());
    while !relay.finished() {
        let pause = match Box::pin(relay.take_a_turn()).await {
            Ok(Turn::Finished) => return,
            Ok(Turn::Standby) => {
                backoff.reset();
                // The leader measures. What we last measured as one would be shown for ever.
                relay.bus.metrics().oldest_unpublished(Duration::ZERO, 0);
                relay.bus.jitter().shorten(ELECTION_PAUSE)
            }
            Err(error) => {
                let cause = errors::chain(&error);
                tracing::warn!(
                    error = cause,
                    "the relay can't use the database; trying again"
                );
                backoff.pause()
            }
        };
        relay.bus.metrics().relay_active(false);
        relay.pause_or_finish(tokio::time::sleep(pause)).await;
    }
}

enum Turn {
    /// Somebody else is the relay.
    Standby,
    /// The service stops and everything is published that can be.
    Finished,
}

struct Relay {
    db: Db,
    bus: Bus,
    exchange: String,
    publisher: Publisher,
    shutdown: CancellationToken,
    /// What became of the last batch, until it is marked.
    settled: Settled,
    measured: Option<Instant>,
}

impl Relay {
    fn new(db: Db, bus: Bus, shutdown: CancellationToken) -> Self {
        Self {
            exchange: events_exchange(bus.topology().service()),
            publisher: bus.publisher(),
            db,
            bus,
            shutdown,
            settled: Settled::default(),
            measured: None,
        }
    }

    /// The service stops and no consumer writes any more.
    fn finished(&self) -> bool {
        self.shutdown.is_cancelled() && self.bus.consumers().is_empty()
    }

    /// Waits, but not beyond the moment when the relay's work is over.
    async fn pause_or_finish(&self, pause: impl Future) {
        let finish = async {
            self.shutdown.cancelled().await;
            self.bus.consumers().close();
            self.bus.consumers().wait().await;
        };
        tokio::select! {
            _waited = pause => {}
            () = finish => {}
        }
    }

    async fn take_a_turn(&mut self) -> Result<Turn, DbError> {
        let Some(mut leader) = Leader::try_elect(&self.db, "relay").await? else {
            return Ok(Turn::Standby);
        };
        self.bus.metrics().relay_active(true);
        tracing::info!(db.schema = %self.db.schema(), "this replica publishes the outbox");
        let mut wake = Wake::relay(&self.db);
        loop {
            // Looked at before the pass: what the last consumer wrote is in the pass after it ended.
            let last = self.finished();
            leader.confirm().await?;
            self.measure().await?;
            let more = match self.pass().await {
                Ok(more) => more,
                Err(PassError::Db(error)) => return Err(error),
                Err(PassError::Bus(error)) if last => {
                    let cause = errors::chain(&error);
                    tracing::warn!(
                        error = cause,
                        "stopping; what is unpublished stays in the outbox"
                    );
                    return Ok(Turn::Finished);
                }
                Err(PassError::Bus(error)) => {
                    self.wait_for_broker(&error).await;
                    continue;
                }
            };
            if more {
                wake.found_rows();
                continue;
            }
            if last {
                leader.resign().await?;
                return Ok(Turn::Finished);
            }
            self.pause_or_finish(Box::pin(wake.wait())).await;
        }
    }

    /// Nothing is claimed while there is nowhere to publish. The backlog is still measured, because
    /// its age is what raises the alarm.
    async fn wait_for_broker(&self, error: &BusError) {
        let cause = errors::chain(error);
        match error {
            // Who keeps the connection up has said so already.
            BusError::NotConnected | BusError::Blocked => {
                tracing::debug!(error = cause, "the relay waits for the broker");
            }
            _ => tracing::warn!(error = cause, "the relay can't publish; trying again"),
        }
        let pause = self.bus.jitter().shorten(RETRY_MIN);
        let connected = async {
            // A refused channel on an open connection must not become a busy loop.
            tokio::time::sleep(pause).await;
            self.bus.publishing().wait_session().await
        };
        let waited = tokio::time::timeout(MEASURE_INTERVAL, connected);
        self.pause_or_finish(waited).await;
    }

    async fn measure(&mut self) -> Result<(), DbError> {
        if self
            .measured
            .is_some_and(|at| at.elapsed() < MEASURE_INTERVAL)
        {
            return Ok(());
        }
        let mut tx = SystemTx::begin(&self.db, "relay").await?;
        let backlog = outbox::backlog(&mut tx).await?;
        tx.commit().await?;
        let age = backlog
            .oldest_at
            .and_then(|oldest_at| (self.bus.clock().now() - oldest_at).to_std().ok())
            .unwrap_or_default();
        self.bus.metrics().oldest_unpublished(age, backlog.count);
        self.measured = Some(Instant::now());
        Ok(())
    }

    /// Publishes one batch; answers whether there was one.
    async fn pass(&mut self) -> Result<bool, PassError> {
        let session = self.bus.publishing().session();
        let rows = self.mark_and_claim(session.is_ok()).await?;
        session?;
        if rows.is_empty() {
            return Ok(false);
        }
        kill::point!("bus.claimed");
        let outcomes = self.publish(&rows).await?;
        kill::point!("bus.confirmed");
        self.settled = Settled::sort(&rows, outcomes, &self.bus);
        self.settled.record(&self.bus);
        Ok(true)
    }

    /// Marks the last batch and selects the next, in one transaction that ends before the broker is
    /// talked to. Nothing is selected while there is nowhere to publish.
    async fn mark_and_claim(&mut self, connected: bool) -> Result<Vec<Unpublished>, DbError> {
        if !connected && self.settled.is_empty() {
            return Ok(Vec::new());
        }
        let Settled {
            published, refused, ..
        } = &self.settled;
        let mut tx = SystemTx::begin(&self.db, "relay").await?;
        if !published.is_empty() {
            outbox::mark_published(&mut tx, published).await?;
        }
        if !refused.is_empty() {
            outbox::mark_refused(&mut tx, refused).await?;
        }
        let rows = if connected {
            outbox::unpublished(&mut tx, BATCH_MAX).await?
        } else {
            Vec::new()
        };
        tx.commit().await?;
        self.settled = Settled::default();
        Ok(rows)
    }

    async fn publish(&mut self, rows: &[Unpublished]) -> Result<Vec<PublishOutcome>, BusError> {
        let envelopes: Vec<Envelope> = rows.iter().map(Envelope::from).collect();
        let messages: Vec<Outgoing<'_>> = rows
            .iter()
            .zip(&envelopes)
            .map(|(row, envelope)| Outgoing {
                exchange: &self.exchange,
                routing_key: &row.routing_key,
                envelope,
                payload: &row.payload,
            })
            .collect();
        self.publisher.publish(&messages).await
    }
}

#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error("the database failed")]
    Db(#[from] DbError),
    #[error("the broker failed")]
    Bus(#[from] BusError),
}

impl From<&Unpublished> for Envelope {
    fn from(row: &Unpublished) -> Self {
        Self {
            event_id: row.event_id,
            event_type: row.event_type.clone(),
            organization_id: row.organization_id,
            key: row.key.clone(),
            occurred_at: row.occurred_at,
            traceparent: row.headers.traceparent.clone(),
            causation_id: row.headers.causation_id,
            actor: row.headers.actor.clone(),
            aggregate_version: row.headers.aggregate_version,
        }
    }
}
