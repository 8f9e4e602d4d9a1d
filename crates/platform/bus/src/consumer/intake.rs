//! Deliveries of one queue, batch after batch, over as many connections as it takes.

use std::{future::Future, sync::Arc, time::Duration};

use futures::StreamExt;
use lapin::{
    Channel,
    message::Delivery as Message,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Bus, BusError, backoff::Backoff, deadline::within, link::Session};

/// Pauses while the database is down or the queue can't be consumed.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Unacknowledged deliveries.
    pub(super) prefetch: u16,
    /// Deliveries of one batch.
    pub(super) batch_max: usize,
}

/// What is done with the batches of a queue.
pub(super) trait Settle: Send {
    /// How many deliveries the next batch may have at most.
    fn appetite(&self) -> usize;

    /// Makes a batch durable. With [`Settled::Acknowledge`] all of it is done with; with
    /// [`Settled::Abandon`] none of it is acknowledged, and it comes again.
    fn settle(
        &mut self,
        batch: Vec<Message>,
        patience: &mut Patience,
    ) -> impl Future<Output = Settled> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Acknowledge,
    Abandon,
}

/// How long to hold a batch while it can't be settled: as long as its deliveries are still ours and
/// the service runs. Nothing is given back to the broker meanwhile, because it would come back at
/// once and be counted as redelivered.
pub(super) struct Patience {
    channel: Channel,
    shutdown: CancellationToken,
    backoff: Backoff,
}

impl Patience {
    /// Waits a little; false when there is no point in holding on.
    pub(super) async fn hold_on(&mut self) -> bool {
        let pause = self.backoff.pause();
        tokio::select! {
            () = tokio::time::sleep(pause) => self.channel.status().connected(),
            () = self.shutdown.cancelled() => false,
        }
    }

    /// Waits although nothing failed, to slow down.
    pub(super) async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}

/// Consumes `queue` until `shutdown`.
pub(super) async fn consume(
    bus: &Bus,
    queue: &str,
    limits: Limits,
    settle: &mut impl Settle,
    shutdown: &CancellationToken,
) {
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX, bus.jitter().clone());
    while !shutdown.is_cancelled() {
        let session = tokio::select! {
            session = bus.consuming().wait_session() => session,
            () = shutdown.cancelled() => return,
        };
        let Some(session) = session else { return };
        let subscribed = Intake::open(bus, &session, queue, limits).await;
        let ended = match subscribed {
            Ok(mut intake) => {
                backoff.reset();
                let ended = intake.run(bus, settle, shutdown).await;
                intake.close().await;
                ended
            }
            Err(error) => Err(error),
        };
        let Err(error) = ended else { return };
        let cause = errors::chain(&error);
        // A lost connection has been told of by its link, once and not for each queue.
        if session.connection.status().connected() {
            tracing::warn!(
                bus.queue = queue,
                error = cause,
                "stopped consuming; beginning again"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.pause()) => {}
            () = shutdown.cancelled() => return,
        }
        // Somebody may have deleted the queue: then it is missing on a connection that stayed up.
        let timeout = bus.config().request_timeout();
        if session.connection.status().connected()
            && let Err(error) = bus.topology().declare(&session.connection, timeout).await
        {
            let cause = errors::chain(&error);
            tracing::error!(
                bus.queue = queue,
                error = cause,
                "can't declare the topology again"
            );
        }
    }
}

/// One subscription on one channel.
struct Intake {
    channel: Channel,
    consumer: lapin::Consumer,
    limits: Limits,
    linger: Duration,
    timeout: Duration,
}

impl Intake {
    async fn open(
        bus: &Bus,
        session: &Arc<Session>,
        queue: &str,
        limits: Limits,
    ) -> Result<Self, BusError> {
        let timeout = bus.config().request_timeout();
        let channel = within(
            timeout,
            "open a channel",
            session.connection.create_channel(),
        )
        .await?;
        let qos = channel.basic_qos(limits.prefetch, BasicQosOptions::default());
        within(timeout, "set the prefetch", qos).await?;
        let name = ShortString::try_new(queue).unwrap_or_default();
        let consuming = channel.basic_consume(
            name,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = within(timeout, "consume a queue", consuming).await?;
        Ok(Self {
            channel,
            consumer,
            limits,
            linger: bus.config().batch_linger(),
            timeout,
        })
    }

    /// Ends with `Ok` at `shutdown` and with an error when the subscription is lost.
    async fn run(
        &mut self,
        bus: &Bus,
        settle: &mut impl Settle,
        shutdown: &CancellationToken,
    ) -> Result<(), BusError> {
        loop {
            let max = settle.appetite().clamp(1, self.limits.batch_max);
            let Some(batch) = self.next_batch(max, shutdown).await? else {
                return Ok(());
            };
            kill::point!("bus.received");
            let last = batch.last().map_or(0, |message| message.delivery_tag);
            let mut patience = Patience {
                channel: self.channel.clone(),
                shutdown: shutdown.clone(),
                backoff: Backoff::new(PAUSE_MIN, PAUSE_MAX, bus.jitter().clone()),
            };
            match settle.settle(batch, &mut patience).await {
                Settled::Acknowledge => {
                    kill::point!("bus.settled");
                    self.acknowledge(last).await?;
                }
                Settled::Abandon if shutdown.is_cancelled() => return Ok(()),
                // The channel is gone, and with it these deliveries.
                Settled::Abandon => return Err(BusError::NotConnected),
            }
        }
    }

    /// The next delivery and what else arrives within the linger; `None` at `shutdown`.
    async fn next_batch(
        &mut self,
        max: usize,
        shutdown: &CancellationToken,
    ) -> Result<Option<Vec<Message>>, BusError> {
        let first = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(None),
            first = self.consumer.next() => arrived(first)?,
        };
        let deadline = Instant::now() + self.linger;
        let mut batch = vec![first];
        while batch.len() < max {
            match tokio::time::timeout_at(deadline, self.consumer.next()).await {
                Ok(next) => batch.push(arrived(next)?),
                Err(_elapsed) => break,
            }
        }
        Ok(Some(batch))
    }

    /// Everything up to `tag` is settled: this channel has one consumer, and batches are settled
    /// whole and in order.
    async fn acknowledge(&self, tag: u64) -> Result<(), BusError> {
        let acknowledged = self
            .channel
            .basic_ack(tag, BasicAckOptions { multiple: true });
        within(self.timeout, "acknowledge", acknowledged).await
    }

    /// Stops deliveries, then closes: what was fetched and not handled returns to the queue.
    async fn close(self) {
        if !self.channel.status().connected() {
            return;
        }
        let cancelled = self
            .channel
            .basic_cancel(self.consumer.tag(), BasicCancelOptions::default());
        let closed = async {
            within(self.timeout, "stop consuming", cancelled).await?;
            within(
                self.timeout,
                "close a channel",
                self.channel.close(200, "done".into()),
            )
            .await
        };
        if let Err(error) = closed.await {
            tracing::debug!(
                error = errors::chain(&error),
                "the channel closed without an answer"
            );
        }
    }
}

fn arrived(next: Option<lapin::Result<Message>>) -> Result<Message, BusError> {
    match next {
        Some(Ok(message)) => Ok(message),
        Some(Err(source)) => Err(BusError::Failed {
            request: "receive deliveries",
            source,
        }),
        None => Err(BusError::SubscriptionEnded),
    }
}
