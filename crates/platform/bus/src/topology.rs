//! What a service needs to exist on the broker, derived from its subscriptions and declared by code
//! at every connection. It is right on RabbitMQ 3.10 and on 4.x: nothing rests on a default that
//! changed between them.

use std::{collections::BTreeSet, time::Duration};

use db::retention::Kept;
use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString, ShortString},
};

use crate::{
    BusError, Drift,
    deadline::within,
    error::{Object, precondition_failed},
    names::{argument, dead_letter_exchange, dead_letter_queue, events_exchange},
};

/// Redeliveries before the broker gives a message to the dead-letter queue. Our consumer never
/// requeues, so only crashes and lost connections count.
const DELIVERY_LIMIT: i64 = 8;

/// "Without end" in a form both 3.10 (which knows no -1) and 4.x (whose default is 20) understand:
/// a dead letter must not be dropped because its drain was interrupted often.
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// One binding of one of our queues: `queue` receives what matches `routing_key` on `exchange`.
/// Several subscriptions may name the same queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// `<our service>.on-<what happened>`, one per purpose: `messaging.on-whatsapp-received`.
    pub queue: &'static str,
    /// `<producing service>.events`.
    pub exchange: &'static str,
    /// A routing key or topic pattern: `edge.whatsapp.received.v1`, `messaging.message.*.v1`.
    pub routing_key: &'static str,
}

/// Exchanges, queues and bindings of one service.
#[derive(Clone, Debug)]
pub struct Topology {
    service: &'static str,
    subscriptions: Vec<Subscription>,
    unsubscribed: Vec<&'static str>,
}

impl Topology {
    /// What `service` publishes and consumes.
    pub fn new(service: &'static str, subscriptions: &[Subscription]) -> Self {
        Self {
            service,
            subscriptions: subscriptions.to_vec(),
            unsubscribed: Vec::new(),
        }
    }

    /// Patterns of our own routing keys that no service subscribes to yet. The relay takes such an
    /// event as published although the broker had nowhere to route it: it stays readable in the
    /// outbox's feed. For every other key "nowhere to route" means a missing queue, and the event
    /// is kept and tried again. Whoever adds the first subscriber removes the pattern here.
    #[must_use]
    pub fn unsubscribed(mut self, patterns: &[&'static str]) -> Self {
        self.unsubscribed = patterns.to_vec();
        self
    }

    /// The service.
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// The queues this service consumes, each once.
    pub fn queues(&self) -> Vec<&'static str> {
        let names: BTreeSet<_> = self.subscriptions.iter().map(|s| s.queue).collect();
        names.into_iter().collect()
    }

    /// Whether an event with this routing key may have no queue to go to.
    /// How long the events are kept that this service publishes, and those that it consumes.
    pub(crate) fn kept(&self) -> Kept {
        let published = proto::events::retention(self.service);
        let consumed = self.subscriptions.iter().map(|subscription| {
            let exchange = subscription.exchange;
            let producer = exchange.strip_suffix(".events").unwrap_or(exchange);
            proto::events::retention(producer)
        });
        Kept {
            published,
            consumed: consumed.fold(published, Duration::max),
        }
    }

    pub(crate) fn may_be_unrouted(&self, routing_key: &str) -> bool {
        self.unsubscribed
            .iter()
            .any(|pattern| topic_matches(pattern, routing_key))
    }

    /// Declares our own events exchange: what a publisher needs.
    pub(crate) async fn declare_exchange(
        &self,
        connection: &Connection,
        timeout: Duration,
    ) -> Result<(), BusError> {
        let broker = Broker::open(connection, timeout).await?;
        broker
            .exchange(&events_exchange(self.service), ExchangeKind::Topic)
            .await?;
        broker.close().await
    }

    /// Declares everything: what a consumer needs.
    pub(crate) async fn declare(
        &self,
        connection: &Connection,
        timeout: Duration,
    ) -> Result<(), BusError> {
        let broker = Broker::open(connection, timeout).await?;
        let mut exchanges: BTreeSet<String> = BTreeSet::from([events_exchange(self.service)]);
        exchanges.extend(self.subscriptions.iter().map(|s| s.exchange.to_owned()));
        for exchange in &exchanges {
            broker.exchange(exchange, ExchangeKind::Topic).await?;
        }
        let dead_letters = dead_letter_exchange(self.service);
        if !self.subscriptions.is_empty() {
            broker.exchange(&dead_letters, ExchangeKind::Direct).await?;
        }
        for queue in self.queues() {
            // The place for dead letters first, so that the queue never lives without it.
            let graveyard = dead_letter_queue(queue);
            broker.queue(&graveyard, graveyard_arguments()).await?;
            broker.bind(&graveyard, &dead_letters, queue).await?;
            broker
                .queue(queue, work_arguments(&dead_letters, queue))
                .await?;
        }
        for subscription in &self.subscriptions {
            broker
                .bind(
                    subscription.queue,
                    subscription.exchange,
                    subscription.routing_key,
                )
                .await?;
        }
        broker.close().await
    }
}

/// A quorum queue with a delivery limit drops what exceeds it unless it dead-letters, and
/// dead-letters at most once unless told otherwise; at-least-once in turn needs `reject-publish`.
fn work_arguments(dead_letters: &str, queue: &str) -> FieldTable {
    table([
        (argument::QUEUE_TYPE, text("quorum")),
        (
            argument::DELIVERY_LIMIT,
            AMQPValue::LongLongInt(DELIVERY_LIMIT),
        ),
        (argument::DEAD_LETTER_EXCHANGE, text(dead_letters)),
        (argument::DEAD_LETTER_ROUTING_KEY, text(queue)),
        (argument::DEAD_LETTER_STRATEGY, text("at-least-once")),
        (argument::OVERFLOW, text("reject-publish")),
    ])
}

fn graveyard_arguments() -> FieldTable {
    table([
        (argument::QUEUE_TYPE, text("quorum")),
        (
            argument::DELIVERY_LIMIT,
            AMQPValue::LongLongInt(NO_DELIVERY_LIMIT),
        ),
    ])
}

fn table<const N: usize>(arguments: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// A channel on which objects are declared; the broker closes it at the first mismatch.
struct Broker {
    channel: Channel,
    timeout: Duration,
}

impl Broker {
    async fn open(connection: &Connection, timeout: Duration) -> Result<Self, BusError> {
        let channel = within(timeout, "open a channel", connection.create_channel()).await?;
        Ok(Self { channel, timeout })
    }

    async fn exchange(&self, name: &str, kind: ExchangeKind) -> Result<(), BusError> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declared =
            self.channel
                .exchange_declare(short(name), kind, options, FieldTable::default());
        within(self.timeout, "declare an exchange", declared)
            .await
            .map_err(|error| as_drift(error, Object::Exchange, name))
    }

    async fn queue(&self, name: &str, arguments: FieldTable) -> Result<(), BusError> {
        let declared =
            self.channel
                .queue_declare(short(name), QueueDeclareOptions::durable(), arguments);
        within(self.timeout, "declare a queue", declared)
            .await
            .map(|_counts| ())
            .map_err(|error| as_drift(error, Object::Queue, name))
    }

    async fn bind(&self, queue: &str, exchange: &str, routing_key: &str) -> Result<(), BusError> {
        let bound = self.channel.queue_bind(
            short(queue),
            short(exchange),
            short(routing_key),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within(self.timeout, "bind a queue", bound).await
    }

    async fn close(self) -> Result<(), BusError> {
        within(
            self.timeout,
            "close a channel",
            self.channel.close(200, "done".into()),
        )
        .await
    }
}

/// Names come from the code of this workspace and are far below AMQP's 255 bytes; a longer one is
/// cut, which the broker then reports as unknown instead of us panicking.
fn short(name: &str) -> ShortString {
    let mut end = name.len().min(lapin::types::MAX_SHORT_STRING_LENGTH);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].into()
}

fn as_drift(error: BusError, object: Object, name: &str) -> BusError {
    match &error {
        BusError::Failed { source, .. } => match precondition_failed(source) {
            Some(broker_says) => BusError::Drift(Drift {
                object,
                name: name.to_owned(),
                broker_says,
            }),
            None => error,
        },
        _ => error,
    }
}

/// AMQP topic matching: `*` is one word, `#` any number of words.
fn topic_matches(pattern: &str, routing_key: &str) -> bool {
    fn matches(pattern: &[&str], words: &[&str]) -> bool {
        match (pattern.split_first(), words.split_first()) {
            (None, None) => true,
            (Some((&"#", rest)), _) => {
                (0..=words.len()).any(|skipped| matches(rest, &words[skipped..]))
            }
            (Some((first, rest)), Some((word, words))) => {
                (*first == "*" || first == word) && matches(rest, words)
            }
            _ => false,
        }
    }
    let pattern: Vec<_> = pattern.split('.').collect();
    let words: Vec<_> = routing_key.split('.').collect();
    matches(&pattern, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumed_events_are_remembered_as_long_as_their_producer_or_we_keep_events() {
        const ON_WHATSAPP_RECEIVED: Subscription = Subscription {
            queue: "messaging.on-whatsapp-received",
            exchange: "edge.events",
            routing_key: "edge.whatsapp.received.v1",
        };
        let kept = Topology::new("messaging", &[ON_WHATSAPP_RECEIVED]).kept();
        assert_eq!(kept.published, proto::events::retention("messaging"));
        assert_eq!(kept.consumed, proto::events::retention("edge"));
        assert!(kept.consumed > kept.published);
        let kept = Topology::new("identity", &[ON_WHATSAPP_RECEIVED]).kept();
        assert_eq!(kept.consumed, proto::events::retention("identity"));
    }

    #[test]
    fn a_topic_pattern_matches_as_the_broker_would() {
        let cases = [
            (
                "messaging.message.received.v1",
                "messaging.message.received.v1",
                true,
            ),
            (
                "messaging.message.*.v1",
                "messaging.message.received.v1",
                true,
            ),
            ("messaging.*.v1", "messaging.message.received.v1", false),
            ("messaging.#", "messaging.message.received.v1", true),
            ("messaging.#", "messaging", true),
            ("#", "anything.at.all", true),
            ("#.v1", "messaging.message.received.v2", false),
            ("edge.#.v1", "edge.v1", true),
        ];
        for (pattern, key, expected) in cases {
            assert_eq!(topic_matches(pattern, key), expected, "{pattern} on {key}");
        }
    }

    #[test]
    fn two_bindings_of_a_queue_declare_it_once() {
        let bind = |routing_key| Subscription {
            queue: "ai.on-message",
            exchange: "messaging.events",
            routing_key,
        };
        let topology = Topology::new("ai", &[bind("a.v1"), bind("b.v1")]);
        assert_eq!(topology.queues(), vec!["ai.on-message"]);
    }
}
