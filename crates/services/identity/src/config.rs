//! The settings of identity.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use bus::BusConfig;
use chassis::config::{Docs, Problems, Settings, Validate};
use db::DbConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use vault::VaultConfig;

use crate::ops::SessionLimits;

/// Shorter secrets can be guessed or are examples; longer ones `IssueServiceToken` does not take.
const SECRET_LENGTH: RangeInclusive<usize> = 32..=256;
const DAY: Duration = Duration::from_hours(24);

/// The root of the settings.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The database.
    pub db: DbConfig,
    /// The broker.
    pub bus: BusConfig,
    /// Secrets at rest.
    pub vault: VaultConfig,
    /// How long logins live.
    #[serde(default)]
    pub sessions: Sessions,
    /// Secrets of the programs that get service tokens, by client id.
    #[serde(default)]
    pub service_clients: BTreeMap<String, SecretString>,
}

/// How long logins live.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Sessions {
    /// From the login, however active it is.
    pub absolute_days: u32,
    /// From the last refresh.
    pub idle_days: u32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            absolute_days: 30,
            idle_days: 7,
        }
    }
}

impl Sessions {
    pub(crate) fn limits(self) -> SessionLimits {
        SessionLimits {
            lasts: DAY * self.absolute_days,
            idle: DAY * self.idle_days,
        }
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        problems.reported("db", self.db.problems());
        problems.reported("bus", self.bus.problems());
        let Sessions {
            absolute_days,
            idle_days,
        } = self.sessions;
        if !(1..=365).contains(&absolute_days) {
            problems.invalid("sessions.absolute_days", "must be between 1 and 365");
        }
        if idle_days == 0 || idle_days > absolute_days {
            problems.invalid(
                "sessions.idle_days",
                "must be at least 1 and at most sessions.absolute_days",
            );
        }
        for (name, secret) in &self.service_clients {
            let key = format!("service_clients.{name}");
            if name.is_empty() || name.len() > 100 {
                problems.invalid(&key, "a client id has 1 to 100 characters");
            }
            // As the API counts: characters, not bytes.
            if !SECRET_LENGTH.contains(&secret.expose_secret().chars().count()) {
                problems.invalid(
                    &key,
                    "must have 32 to 256 characters; make it with `openssl rand -base64 32`",
                );
            }
        }
    }
}

impl Settings for Config {
    fn docs() -> Docs {
        Docs::new()
            .section("db", DbConfig::DOCS)
            .section("bus", BusConfig::DOCS)
            .section("vault", VaultConfig::DOCS)
            .key("sessions.absolute_days", "30", "Days a login lives, however active it is.")
            .key("sessions.idle_days", "7", "Days a login lives without being used.")
            .key(
                "service_clients",
                "",
                "Secret of each program that gets service tokens, by client id; 32 to 256 random characters.",
            )
    }
}
