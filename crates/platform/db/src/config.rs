//! What an operator sets.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The database section of a service's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbConfig {
    /// `postgres://` URL of the login role that serves requests, `<schema>_app`.
    pub url: SecretString,
    /// `postgres://` URL of the login role of relays, consumers and sweeps, `<schema>_system`.
    pub system_url: SecretString,
    /// `postgres://` URL that `migrate` uses: a role that may create roles and schemas, or, where those are made by
    /// somebody else, a member of `<schema>_owner`. Not needed to serve.
    #[serde(default)]
    pub migrate_url: Option<SecretString>,
    /// Connections that requests share.
    #[serde(default = "defaults::max_connections")]
    pub max_connections: u32,
    /// Connections that relays, consumers and sweeps share.
    #[serde(default = "defaults::system_max_connections")]
    pub system_max_connections: u32,
    /// Longest wait for a connection and the start of a transaction, and for a commit.
    #[serde(default = "defaults::acquire_timeout_ms")]
    pub acquire_timeout_ms: u64,
    /// Longest run of one statement.
    #[serde(default = "defaults::statement_timeout_ms")]
    pub statement_timeout_ms: u64,
    /// Longest wait for one lock.
    #[serde(default = "defaults::lock_timeout_ms")]
    pub lock_timeout_ms: u64,
    /// After this the server ends a transaction whose client does nothing.
    #[serde(default = "defaults::idle_in_transaction_timeout_ms")]
    pub idle_in_transaction_timeout_ms: u64,
}

mod defaults {
    pub(super) const fn max_connections() -> u32 {
        10
    }
    pub(super) const fn system_max_connections() -> u32 {
        8
    }
    pub(super) const fn acquire_timeout_ms() -> u64 {
        3_000
    }
    pub(super) const fn statement_timeout_ms() -> u64 {
        10_000
    }
    pub(super) const fn lock_timeout_ms() -> u64 {
        5_000
    }
    pub(super) const fn idle_in_transaction_timeout_ms() -> u64 {
        15_000
    }
}

impl DbConfig {
    /// Keys, defaults and meanings, for the configuration reference.
    pub const DOCS: &[(&str, &str, &str)] = &[
        (
            "url",
            "",
            "postgres:// URL of the role that serves requests, `<schema>_app`.",
        ),
        (
            "system_url",
            "",
            "postgres:// URL of the role of relays, consumers and sweeps, `<schema>_system`.",
        ),
        (
            "migrate_url",
            "",
            "postgres:// URL that `migrate` uses: a role that may create roles and schemas.",
        ),
        ("max_connections", "10", "Connections of the app role."),
        (
            "system_max_connections",
            "8",
            "Connections of the system role.",
        ),
        (
            "acquire_timeout_ms",
            "3000",
            "Longest wait for a connection and for a commit.",
        ),
        (
            "statement_timeout_ms",
            "10000",
            "Longest run of one statement.",
        ),
        ("lock_timeout_ms", "5000", "Longest wait for one lock."),
        (
            "idle_in_transaction_timeout_ms",
            "15000",
            "The server ends a transaction that is idle for so long.",
        ),
    ];

    /// A configuration with two URLs and the defaults.
    pub fn new(url: SecretString, system_url: SecretString) -> Self {
        Self {
            url,
            system_url,
            migrate_url: None,
            max_connections: defaults::max_connections(),
            system_max_connections: defaults::system_max_connections(),
            acquire_timeout_ms: defaults::acquire_timeout_ms(),
            statement_timeout_ms: defaults::statement_timeout_ms(),
            lock_timeout_ms: defaults::lock_timeout_ms(),
            idle_in_transaction_timeout_ms: defaults::idle_in_transaction_timeout_ms(),
        }
    }

    /// Everything that is wrong with it, each as `field: sentence`; nothing when it is right. URLs are not repeated:
    /// they hold passwords.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let urls = [
            ("url", Some(&self.url)),
            ("system_url", Some(&self.system_url)),
            ("migrate_url", self.migrate_url.as_ref()),
        ];
        for (field, url) in urls {
            if let Some(problem) = url.and_then(url_problem) {
                problems.push(format!("{field}: {problem}"));
            }
        }
        let numbers = [
            ("max_connections", u64::from(self.max_connections)),
            (
                "system_max_connections",
                u64::from(self.system_max_connections),
            ),
            ("acquire_timeout_ms", self.acquire_timeout_ms),
            ("statement_timeout_ms", self.statement_timeout_ms),
            ("lock_timeout_ms", self.lock_timeout_ms),
            (
                "idle_in_transaction_timeout_ms",
                self.idle_in_transaction_timeout_ms,
            ),
        ];
        for (field, number) in numbers {
            // PostgreSQL reads 0 as "no limit", and its timeouts are 32-bit.
            if number == 0 || number > u64::from(i32::MAX.unsigned_abs()) {
                problems.push(format!("{field}: must be between 1 and {}", i32::MAX));
            }
        }
        problems
    }

    pub(crate) const fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }
}

fn url_problem(url: &SecretString) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(url.expose_secret()) else {
        return Some("is not a URL");
    };
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        Some("must begin with postgres://")
    } else if url.username().is_empty() {
        Some("must name the login role")
    } else if url.path().trim_start_matches('/').is_empty() {
        Some("must name the database")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_told_together_and_without_the_password() {
        let mut config = DbConfig::new(
            SecretString::from("mysql://app:hunter2@db/x"),
            SecretString::from("postgres://system:hunter2@db"),
        );
        config.lock_timeout_ms = 0;
        let problems = config.problems();
        assert_eq!(
            problems,
            [
                "url: must begin with postgres://",
                "system_url: must name the database",
                "lock_timeout_ms: must be between 1 and 2147483647",
            ]
        );
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn the_defaults_are_acceptable() {
        let url = || SecretString::from("postgres://a:b@localhost/c");
        assert!(DbConfig::new(url(), url()).problems().is_empty());
    }
}
