//! Publishing with confirms. A message counts as stored only when the broker confirmed it and did
//! not return it; every other answer, or none, means that it must be published again.

use std::{collections::HashMap, fmt, ops::Range, pin::Pin, time::Duration};

use futures::{
    FutureExt, StreamExt,
    future::{MaybeDone, maybe_done},
    stream::FuturesUnordered,
};
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::time::Instant;

use crate::{
    Bus, BusError, Envelope, EnvelopeError, deadline::within, envelope::short, link::Session,
};

/// The broker's own limit for a message. It answers a larger one by closing the channel, with all that
/// is under way on it.
const PAYLOAD_LIMIT: usize = 16 * 1024 * 1024;

/// A message to publish.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Where to.
    pub exchange: &'a str,
    /// Who may want it.
    pub routing_key: &'a str,
    /// What it is.
    pub envelope: &'a Envelope,
    /// The protobuf body.
    pub payload: &'a [u8],
}

/// Without the payload: it may hold what a customer wrote.
impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("event_id", &self.envelope.event_id)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// The broker stored it in every queue it routes to.
    Confirmed,
    /// No queue wants it; the broker kept nothing. The broker's words.
    Returned(String),
    /// The broker refused it, or a queue did.
    Nacked,
    /// No answer: the connection broke or the time ran out. It may or may not be stored.
    Unknown,
    /// AMQP can't carry it; it was not sent.
    Unsendable(EnvelopeError),
}

/// Publishes in windows of outstanding confirms, on a channel of its own.
#[derive(Debug)]
pub struct Publisher {
    bus: Bus,
    channel: Option<Channel>,
}

impl Bus {
    /// A publisher; each has its own channel and is used by one task.
    pub fn publisher(&self) -> Publisher {
        Publisher {
            bus: self.clone(),
            channel: None,
        }
    }
}

impl Publisher {
    /// Publishes `messages` in order and says what became of each. Waits for every confirm, each
    /// window at most [`confirm_timeout_ms`](crate::BusConfig::confirm_timeout_ms).
    ///
    /// # Errors
    /// Nothing was sent: [`BusError::NotConnected`], [`BusError::Blocked`], or the channel could
    /// not be opened.
    pub async fn publish(
        &mut self,
        messages: &[Outgoing<'_>],
    ) -> Result<Vec<PublishOutcome>, BusError> {
        let mut outcomes = Vec::with_capacity(messages.len());
        for window in self.windows(messages) {
            match self.channel().await {
                Ok(channel) => {
                    let sent = self.publish_window(&channel, &messages[window]).await;
                    if sent.contains(&PublishOutcome::Unknown) {
                        // Late confirms of this channel must not be taken for those of the next
                        // window; dropping the channel closes it.
                        self.channel = None;
                    }
                    outcomes.extend(sent);
                }
                Err(error) if outcomes.is_empty() => return Err(error),
                Err(_lost_meanwhile) => outcomes.resize(messages.len(), PublishOutcome::Unknown),
            }
            if outcomes.len() == messages.len() {
                break;
            }
        }
        Ok(outcomes)
    }

    /// Cuts `messages` so that no window exceeds the configured count or bytes; a message larger
    /// than that goes alone.
    fn windows(&self, messages: &[Outgoing<'_>]) -> Vec<Range<usize>> {
        let config = self.bus.config();
        let mut windows = Vec::new();
        let mut start = 0;
        let mut bytes = 0;
        for (index, message) in messages.iter().enumerate() {
            let full = index - start >= config.confirm_window
                || bytes + message.payload.len() > config.confirm_window_bytes;
            if full && index > start {
                windows.push(start..index);
                start = index;
                bytes = 0;
            }
            bytes += message.payload.len();
        }
        if start < messages.len() {
            windows.push(start..messages.len());
        }
        windows
    }

    async fn channel(&mut self) -> Result<Channel, BusError> {
        let session = self.bus.publishing().session()?;
        if let Some(channel) = &self.channel
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        self.channel = None;
        let timeout = self.bus.config().request_timeout();
        // A channel ends when its exchange is missing: bring it back, or the next one ends as well.
        self.bus
            .topology()
            .declare_exchange(&session.connection, timeout)
            .await?;
        let channel = open_channel(&session, timeout).await?;
        Ok(self.channel.insert(channel).clone())
    }

    async fn publish_window(
        &self,
        channel: &Channel,
        window: &[Outgoing<'_>],
    ) -> Vec<PublishOutcome> {
        let deadline = Instant::now() + self.bus.config().confirm_timeout();
        let mut outcomes = vec![PublishOutcome::Unknown; window.len()];
        let mut pending = FuturesUnordered::new();
        for (index, message) in window.iter().enumerate() {
            match Prepared::new(message) {
                Ok(prepared) => {
                    let answer = prepared
                        .publish(channel, message.payload)
                        .map(move |a| (index, a));
                    let mut answer = Box::pin(maybe_done(answer));
                    // The first poll numbers the message and queues its frames: polling here, in
                    // this order, is what keeps the order of the messages.
                    let _not_yet = poll_once(answer.as_mut()).await;
                    pending.push(take_output(answer));
                }
                Err(error) => outcomes[index] = PublishOutcome::Unsendable(error),
            }
        }
        kill::point!("bus.published");
        let mut returned = Returned::default();
        loop {
            let next = tokio::time::timeout_at(deadline, pending.next()).await;
            let Ok(Some((index, answer))) = next else {
                break;
            };
            outcomes[index] = returned.note(answer);
        }
        // Time is up. What is answered already still counts, returns above all: they must not be
        // overlooked for the message they belong to.
        while let Some(Some((index, answer))) = pending.next().now_or_never() {
            outcomes[index] = returned.note(answer);
        }
        returned.correct(window, &mut outcomes);
        outcomes
    }
}

async fn open_channel(session: &Session, timeout: Duration) -> Result<Channel, BusError> {
    let opened = session.connection.create_channel();
    let channel = within(timeout, "open a channel", opened).await?;
    let confirms = channel.confirm_select(ConfirmSelectOptions::default());
    within(timeout, "ask for confirms", confirms).await?;
    Ok(channel)
}

/// The parts of a message in AMQP's own types.
struct Prepared {
    exchange: ShortString,
    routing_key: ShortString,
    properties: BasicProperties,
}

impl Prepared {
    fn new(message: &Outgoing<'_>) -> Result<Self, EnvelopeError> {
        if message.payload.len() > PAYLOAD_LIMIT {
            return Err(EnvelopeError {
                field: "payload",
                problem: "larger than 16 MiB",
            });
        }
        Ok(Self {
            exchange: short("exchange", message.exchange)?,
            routing_key: short("routing key", message.routing_key)?,
            properties: message.envelope.to_properties()?,
        })
    }

    async fn publish(self, channel: &Channel, payload: &[u8]) -> lapin::Result<Confirmation> {
        // Without `mandatory` the broker confirms what it could not route anywhere.
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        channel
            .basic_publish(
                self.exchange,
                self.routing_key,
                options,
                payload,
                self.properties,
            )
            .await?
            .await
    }
}

async fn poll_once<F: Future + Unpin>(future: F) -> Option<F::Output> {
    let mut future = future;
    std::future::poll_fn(move |context| match Pin::new(&mut future).poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

async fn take_output<F: Future>(mut future: Pin<Box<MaybeDone<F>>>) -> F::Output {
    future.as_mut().await;
    future
        .as_mut()
        .take_output()
        .expect("the output is taken only here, after it is there")
}

/// Messages the broker gave back. With several confirms in one frame the client library may attach
/// a return to the wrong confirm, so a return is matched by the message id it carries. It is
/// always seen no later than the confirm of its own message.
#[derive(Default)]
struct Returned(HashMap<String, String>);

impl Returned {
    fn note(&mut self, answer: lapin::Result<Confirmation>) -> PublishOutcome {
        let (outcome, returned) = match answer {
            Ok(Confirmation::Ack(returned)) => (PublishOutcome::Confirmed, returned),
            Ok(Confirmation::Nack(returned)) => (PublishOutcome::Nacked, returned),
            // A channel without confirms promises nothing.
            Ok(Confirmation::NotRequested) | Err(_) => (PublishOutcome::Unknown, None),
        };
        if let Some(returned) = returned
            && let Some(id) = returned.delivery.properties.message_id()
        {
            self.0
                .insert(id.to_string(), returned.reply_text.to_string());
        }
        outcome
    }

    fn correct(self, window: &[Outgoing<'_>], outcomes: &mut [PublishOutcome]) {
        if self.0.is_empty() {
            return;
        }
        for (message, outcome) in window.iter().zip(outcomes) {
            let id = message.envelope.event_id.to_string();
            if let Some(reason) = self.0.get(&id) {
                *outcome = PublishOutcome::Returned(reason.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ids::EventId;

    use super::*;

    #[test]
    fn what_the_broker_would_close_the_channel_for_is_not_sent() {
        let envelope = Envelope {
            event_id: EventId::min_at(1),
            event_type: "shop.events.v1.OrderPlaced".to_owned(),
            organization_id: None,
            key: String::new(),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            traceparent: None,
            causation_id: None,
            actor: None,
            aggregate_version: None,
        };
        let sendable = |bytes: usize| {
            let message = Outgoing {
                exchange: "shop.events",
                routing_key: "shop.order.placed.v1",
                envelope: &envelope,
                payload: &vec![0; bytes],
            };
            Prepared::new(&message).is_ok()
        };
        assert!(sendable(PAYLOAD_LIMIT));
        assert!(!sendable(PAYLOAD_LIMIT + 1));
    }
}
