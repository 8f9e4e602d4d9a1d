//! The registry of domain events: the table made from the option `switchboard.options.v1.event`.

use std::time::Duration;

/// What is known about an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The full proto name; the AMQP `type` and the outbox's `event_type`.
    pub event_type: &'static str,
    /// `<service>.<aggregate>.<event>.v1`.
    pub routing_key: &'static str,
    /// The service that publishes it, to its exchange `<owner>.events`.
    pub owner: &'static str,
    /// The field whose value orders the events.
    pub key: &'static str,
    /// It names or quotes a person.
    pub personal_data: bool,
    /// Days the owner keeps it for replay.
    pub retention_days: u32,
    /// What happened, in a sentence.
    pub summary: &'static str,
}

/// A message that is published as an event.
pub trait DomainEvent: prost::Message {
    /// Its entry of the registry.
    const SPEC: &'static Spec;

    /// The value of the ordering key.
    fn key(&self) -> &str;
}

include!(concat!(env!("OUT_DIR"), "/events.rs"));

/// Every event type.
pub fn all() -> &'static [&'static Spec] {
    TABLE
}

/// The entry of an event type.
pub fn find(event_type: &str) -> Option<&'static Spec> {
    TABLE
        .iter()
        .copied()
        .find(|spec| spec.event_type == event_type)
}

/// How long the service `owner` keeps its outbox: as long as the event it keeps longest. An owner without events gets
/// the longest of all, because keeping too much is the harmless mistake.
pub fn retention(owner: &str) -> Duration {
    let longest = |specs: &mut dyn Iterator<Item = &&'static Spec>| {
        specs.map(|spec| spec.retention_days).max()
    };
    let days = longest(&mut TABLE.iter().filter(|spec| spec.owner == owner))
        .or_else(|| longest(&mut TABLE.iter()))
        .unwrap_or(0);
    Duration::from_hours(24).saturating_mul(days)
}
