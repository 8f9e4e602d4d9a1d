//! What an operator sees of the bus. Names follow OpenTelemetry's: dots here become underscores in
//! Prometheus.

use std::{fmt, time::Duration};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};

#[derive(Clone)]
pub(crate) struct Metrics {
    service: &'static str,
    connection_up: Gauge<u64>,
    published: Counter<u64>,
    relay_oldest: Gauge<f64>,
    relay_backlog: Gauge<u64>,
    relay_active: Gauge<u64>,
    consumed: Counter<u64>,
    batch_seconds: Histogram<f64>,
    batch_size: Histogram<u64>,
    deferred: Counter<u64>,
    dead_letters: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter, service: &'static str) -> Self {
        Self {
            service,
            connection_up: meter
                .u64_gauge("bus.connection.up")
                .with_description("1 while the connection to the broker is usable, by role")
                .build(),
            published: meter
                .u64_counter("bus.published")
                .with_description("Events handed to the broker, by outcome")
                .build(),
            relay_oldest: meter
                .f64_gauge("outbox.oldest_unpublished_age")
                .with_unit("s")
                .with_description(
                    "Age of the oldest event that is not published yet; alert above 60 s",
                )
                .build(),
            relay_backlog: meter
                .u64_gauge("outbox.unpublished")
                .with_description("Events that are not published yet; counted up to a million")
                .build(),
            relay_active: meter
                .u64_gauge("outbox.relay.active")
                .with_description("1 in the replica whose relay publishes")
                .build(),
            consumed: meter
                .u64_counter("bus.consumed")
                .with_description("Deliveries, by queue and outcome")
                .build(),
            batch_seconds: meter
                .f64_histogram("bus.batch.duration")
                .with_unit("s")
                .with_description(
                    "Time from a gathered batch to the commit of its effects or failures",
                )
                .build(),
            batch_size: meter
                .u64_histogram("bus.batch.size")
                .with_description("Deliveries handled in one transaction")
                .build(),
            deferred: meter
                .u64_counter("bus.deferred")
                .with_description(
                    "Second and later attempts of failed deliveries, by queue and outcome",
                )
                .build(),
            dead_letters: meter
                .u64_counter("bus.dead_letters")
                .with_description(
                    "Events that became dead letters, by queue; alert on any increase",
                )
                .build(),
        }
    }

    fn service(&self) -> KeyValue {
        KeyValue::new("service", self.service)
    }

    pub(crate) fn connection(&self, role: &'static str, up: bool) {
        let labels = [self.service(), KeyValue::new("role", role)];
        self.connection_up.record(u64::from(up), &labels);
    }

    pub(crate) fn published(&self, outcome: &'static str, count: usize) {
        if count > 0 {
            let labels = [self.service(), KeyValue::new("outcome", outcome)];
            self.published.add(count as u64, &labels);
        }
    }

    pub(crate) fn oldest_unpublished(&self, age: Duration, count: u64) {
        self.relay_oldest
            .record(age.as_secs_f64(), &[self.service()]);
        self.relay_backlog.record(count, &[self.service()]);
    }

    pub(crate) fn relay_active(&self, active: bool) {
        self.relay_active
            .record(u64::from(active), &[self.service()]);
    }

    pub(crate) fn consumed(&self, queue: &'static str, outcome: &'static str, count: usize) {
        if count > 0 {
            let labels = [
                KeyValue::new("queue", queue),
                KeyValue::new("outcome", outcome),
            ];
            self.consumed.add(count as u64, &labels);
        }
    }

    pub(crate) fn batch(&self, queue: &'static str, size: usize, took: Duration) {
        let labels = [KeyValue::new("queue", queue)];
        self.batch_seconds.record(took.as_secs_f64(), &labels);
        self.batch_size.record(size as u64, &labels);
    }

    pub(crate) fn deferred(&self, queue: &'static str, outcome: &'static str, count: usize) {
        if count > 0 {
            let labels = [
                KeyValue::new("queue", queue),
                KeyValue::new("outcome", outcome),
            ];
            self.deferred.add(count as u64, &labels);
        }
    }

    /// Wherever an event dies: at its first attempt, on the ladder, or with the broker.
    pub(crate) fn dead_letters(&self, queue: &'static str, count: usize) {
        if count > 0 {
            let labels = [KeyValue::new("queue", queue)];
            self.dead_letters.add(count as u64, &labels);
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
