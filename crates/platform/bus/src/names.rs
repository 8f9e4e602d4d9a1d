//! Every name that crosses the wire, in one place: exchanges, queues, headers, queue arguments.

/// The topic exchange on which a service publishes its events: `messaging.events`.
pub fn events_exchange(service: &str) -> String {
    format!("{service}.events")
}

/// The exchange to which the queues of a consuming service dead-letter: `messaging.dlx`.
pub fn dead_letter_exchange(service: &str) -> String {
    format!("{service}.dlx")
}

/// The queue that keeps what a queue gave up on: `messaging.on-whatsapp-received.dlq`.
pub fn dead_letter_queue(queue: &str) -> String {
    format!("{queue}.dlq")
}

/// The body of every event is one protobuf message; the property `type` says which.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// AMQP's "survives a broker restart".
pub const PERSISTENT: u8 = 2;

/// Headers of the envelope.
pub mod header {
    /// The tenant, `org_…`; absent for events of the platform itself.
    pub const ORGANIZATION_ID: &str = "organization-id";
    /// The aggregate within which order is kept.
    pub const KEY: &str = "key";
    /// W3C trace context of the operation that made the event.
    pub const TRACEPARENT: &str = "traceparent";
    /// The event that caused this one, `ev_…`.
    pub const CAUSATION_ID: &str = "causation-id";
    /// Who did it: `user:usr_…`, `system:automation`.
    pub const ACTOR: &str = "actor";
    /// The aggregate's version after the change.
    pub const AGGREGATE_VERSION: &str = "aggregate-version";
    /// When it happened, milliseconds since the Unix epoch: AMQP's own timestamp has whole seconds.
    pub const OCCURRED_AT_MS: &str = "occurred-at-ms";
    /// Written by the broker when it dead-letters: why, from where, how often.
    pub const DEATH: &str = "x-death";
}

/// Arguments of a queue.
pub(crate) mod argument {
    pub(crate) const QUEUE_TYPE: &str = "x-queue-type";
    pub(crate) const DELIVERY_LIMIT: &str = "x-delivery-limit";
    pub(crate) const DEAD_LETTER_EXCHANGE: &str = "x-dead-letter-exchange";
    pub(crate) const DEAD_LETTER_ROUTING_KEY: &str = "x-dead-letter-routing-key";
    pub(crate) const DEAD_LETTER_STRATEGY: &str = "x-dead-letter-strategy";
    pub(crate) const OVERFLOW: &str = "x-overflow";
}
