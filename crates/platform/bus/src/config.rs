//! Settings of the broker connection, as the service's configuration file spells them.

use std::time::Duration;

use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The section `bus` of a service's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// `amqp://user:password@host:5672/vhost`, or `amqps://`. A `/` in the vhost is `%2f`.
    pub url: SecretString,
    /// Unacknowledged deliveries a consumer holds. RabbitMQ's documentation calls 100 to 300 the
    /// sweet spot; quorum queues refuse more than 2000.
    #[serde(default = "defaults::prefetch")]
    pub prefetch: u16,
    /// Deliveries handled in one database transaction, at most.
    #[serde(default = "defaults::batch_max")]
    pub batch_max: usize,
    /// How long a batch waits for company after its first delivery, milliseconds.
    #[serde(default = "defaults::batch_linger_ms")]
    pub batch_linger_ms: u64,
    /// Published messages whose confirm is outstanding, at most.
    #[serde(default = "defaults::confirm_window")]
    pub confirm_window: usize,
    /// The same bound in bytes of payload: a raw webhook may have megabytes.
    #[serde(default = "defaults::confirm_window_bytes")]
    pub confirm_window_bytes: usize,
    /// How long a confirm may take before the message counts as unpublished, milliseconds.
    #[serde(default = "defaults::confirm_timeout_ms")]
    pub confirm_timeout_ms: u64,
    /// Bound of connecting, TLS and login included, milliseconds.
    #[serde(default = "defaults::connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// Bound of one request to the broker other than a publish, milliseconds.
    #[serde(default = "defaults::request_timeout_ms")]
    pub request_timeout_ms: u64,
    /// A peer silent for twice this long is dead, seconds. TCP alone takes about eleven minutes.
    #[serde(default = "defaults::heartbeat_s")]
    pub heartbeat_s: u16,
    /// First pause before reconnecting, milliseconds; it doubles up to the maximum.
    #[serde(default = "defaults::reconnect_min_ms")]
    pub reconnect_min_ms: u64,
    /// Longest pause before reconnecting, milliseconds.
    #[serde(default = "defaults::reconnect_max_ms")]
    pub reconnect_max_ms: u64,
    /// Bound of one call of a consumer's handler, milliseconds. Keep it below the database's
    /// `idle_in_transaction_timeout_ms` (nothing checks that), or a handler that waits for something
    /// else loses its transaction before its time.
    #[serde(default = "defaults::handler_timeout_ms")]
    pub handler_timeout_ms: u64,
    /// How often a consuming service declares its topology again, seconds: what somebody deleted
    /// comes back without a restart.
    #[serde(default = "defaults::topology_check_s")]
    pub topology_check_s: u64,
}

mod defaults {
    pub(super) const fn prefetch() -> u16 {
        300
    }
    pub(super) const fn batch_max() -> usize {
        100
    }
    pub(super) const fn batch_linger_ms() -> u64 {
        3
    }
    pub(super) const fn confirm_window() -> usize {
        500
    }
    pub(super) const fn confirm_window_bytes() -> usize {
        16 * 1024 * 1024
    }
    pub(super) const fn confirm_timeout_ms() -> u64 {
        10_000
    }
    pub(super) const fn connect_timeout_ms() -> u64 {
        5_000
    }
    pub(super) const fn request_timeout_ms() -> u64 {
        10_000
    }
    pub(super) const fn heartbeat_s() -> u16 {
        10
    }
    pub(super) const fn reconnect_min_ms() -> u64 {
        200
    }
    pub(super) const fn reconnect_max_ms() -> u64 {
        5_000
    }
    pub(super) const fn handler_timeout_ms() -> u64 {
        10_000
    }
    pub(super) const fn topology_check_s() -> u64 {
        30
    }
}

/// Larger prefetches are refused by quorum queues.
const PREFETCH_LIMIT: u16 = 2_000;
/// The relay claims no more rows at once, so a larger window would never fill.
const CONFIRM_WINDOW_LIMIT: usize = 500;

impl BusConfig {
    /// Keys, defaults and meanings, for the configuration reference.
    pub const DOCS: &[(&str, &str, &str)] = &[
        (
            "url",
            "",
            "amqp:// or amqps:// URL with user, password and vhost.",
        ),
        (
            "prefetch",
            "300",
            "Unacknowledged deliveries of a consumer.",
        ),
        (
            "batch_max",
            "100",
            "Deliveries a consumer handles in one transaction.",
        ),
        (
            "batch_linger_ms",
            "3",
            "How long a consumer's batch waits for company.",
        ),
        (
            "confirm_window",
            "500",
            "Published events whose confirm is outstanding.",
        ),
        (
            "confirm_window_bytes",
            "16777216",
            "The same bound in bytes.",
        ),
        (
            "confirm_timeout_ms",
            "10000",
            "After this an event without a confirm is published again.",
        ),
        (
            "connect_timeout_ms",
            "5000",
            "Longest time for connecting, TLS and login included.",
        ),
        (
            "request_timeout_ms",
            "10000",
            "Longest time for one request to the broker.",
        ),
        (
            "heartbeat_s",
            "10",
            "A broker silent for twice as long is taken for dead.",
        ),
        (
            "reconnect_min_ms",
            "200",
            "First pause before reconnecting.",
        ),
        (
            "reconnect_max_ms",
            "5000",
            "Longest pause before reconnecting.",
        ),
        (
            "handler_timeout_ms",
            "10000",
            "Longest time for a consumer's batch.",
        ),
        (
            "topology_check_s",
            "30",
            "How often a consuming service declares its queues again.",
        ),
    ];

    /// The defaults for a broker.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            prefetch: defaults::prefetch(),
            batch_max: defaults::batch_max(),
            batch_linger_ms: defaults::batch_linger_ms(),
            confirm_window: defaults::confirm_window(),
            confirm_window_bytes: defaults::confirm_window_bytes(),
            confirm_timeout_ms: defaults::confirm_timeout_ms(),
            connect_timeout_ms: defaults::connect_timeout_ms(),
            request_timeout_ms: defaults::request_timeout_ms(),
            heartbeat_s: defaults::heartbeat_s(),
            reconnect_min_ms: defaults::reconnect_min_ms(),
            reconnect_max_ms: defaults::reconnect_max_ms(),
            handler_timeout_ms: defaults::handler_timeout_ms(),
            topology_check_s: defaults::topology_check_s(),
        }
    }

    /// Every problem of these settings, each a sentence that begins with the field's name; empty
    /// if there is none. The URL itself is never repeated: it holds the password.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.parsed_url().is_none() {
            problems.push("url: expected amqp://user:password@host:port/vhost".to_owned());
        }
        if self.prefetch == 0 || self.prefetch > PREFETCH_LIMIT {
            problems.push(format!("prefetch: expected 1 to {PREFETCH_LIMIT}"));
        }
        if self.batch_max == 0 || self.batch_max > usize::from(self.prefetch) {
            problems.push("batch_max: expected 1 to the value of prefetch".to_owned());
        }
        if self.confirm_window == 0 || self.confirm_window > CONFIRM_WINDOW_LIMIT {
            problems.push(format!(
                "confirm_window: expected 1 to {CONFIRM_WINDOW_LIMIT}"
            ));
        }
        let must_be_positive = [
            ("confirm_window_bytes", self.confirm_window_bytes == 0),
            ("confirm_timeout_ms", self.confirm_timeout_ms == 0),
            ("connect_timeout_ms", self.connect_timeout_ms == 0),
            ("request_timeout_ms", self.request_timeout_ms == 0),
            ("heartbeat_s", self.heartbeat_s == 0),
            ("reconnect_min_ms", self.reconnect_min_ms == 0),
            ("handler_timeout_ms", self.handler_timeout_ms == 0),
            ("topology_check_s", self.topology_check_s == 0),
        ];
        for (field, zero) in must_be_positive {
            if zero {
                problems.push(format!("{field}: expected more than 0"));
            }
        }
        if self.reconnect_max_ms < self.reconnect_min_ms {
            problems.push("reconnect_max_ms: expected at least reconnect_min_ms".to_owned());
        }
        problems
    }

    pub(crate) fn parsed_url(&self) -> Option<AMQPUri> {
        self.url.expose_secret().parse().ok()
    }

    pub(crate) const fn batch_linger(&self) -> Duration {
        Duration::from_millis(self.batch_linger_ms)
    }

    pub(crate) const fn confirm_timeout(&self) -> Duration {
        Duration::from_millis(self.confirm_timeout_ms)
    }

    pub(crate) const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(crate) const fn topology_check(&self) -> Duration {
        Duration::from_secs(self.topology_check_s)
    }

    pub(crate) const fn handler_timeout(&self) -> Duration {
        Duration::from_millis(self.handler_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported_at_once_and_none_repeats_the_url() {
        let mut config = BusConfig::new(SecretString::from("http://hunter2@broker"));
        config.prefetch = 0;
        config.confirm_window = 501;
        config.heartbeat_s = 0;
        config.reconnect_max_ms = 1;
        let problems = config.problems();
        for field in [
            "url",
            "prefetch",
            "batch_max",
            "confirm_window",
            "heartbeat_s",
            "reconnect_max_ms",
        ] {
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.starts_with(&format!("{field}:"))),
                "{field} is missing in {problems:?}"
            );
        }
        assert!(!format!("{problems:?}{config:?}").contains("hunter2"));
    }

    #[test]
    fn the_defaults_have_no_problem() {
        let config = BusConfig::new(SecretString::from("amqp://app:app@127.0.0.1:5672/%2f"));
        assert_eq!(config.problems(), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let text = serde_json::json!({"url": "amqp://localhost", "prefetsch": 3});
        let error = serde_json::from_value::<BusConfig>(text).expect_err("a typo");
        assert!(error.to_string().contains("prefetsch"));
    }
}
