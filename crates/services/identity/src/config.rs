//! The settings of identity.

mod sso;

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use bus::BusConfig;
use chassis::config::{Alias, Docs, Problems, Settings, Validate};
use db::DbConfig;
use resend::client::ConfigInvalid;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use vault::VaultConfig;

use crate::{mail::AppUrl, ops::SessionLimits};

pub use sso::Sso;

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
    /// Where people use the product, `https://app.example.com`: links in mail lead there. Needed to send mail.
    #[serde(default)]
    pub app_url: String,
    /// The e-mail to people.
    #[serde(default)]
    pub mail: Mail,
    /// How long logins live.
    #[serde(default)]
    pub sessions: Sessions,
    /// How people sign up.
    #[serde(default)]
    pub sign_up: SignUps,
    /// How many people an organization may have.
    #[serde(default)]
    pub seats: Seats,
    /// Login through organizations' own identity providers.
    #[serde(default)]
    pub sso: Sso,
    /// Secrets of the programs that get service tokens, by client id.
    #[serde(default)]
    pub service_clients: BTreeMap<String, SecretString>,
}

/// The e-mail to people.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Mail {
    /// Resend's API key. Without it no mail is sent: it waits.
    pub api_key: SecretString,
    /// The sender, `Switchboard <mail@example.com>`; Resend must have verified its domain.
    pub from: String,
    /// Where Resend is.
    pub base_url: String,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            api_key: SecretString::default(),
            from: String::new(),
            base_url: resend::client::Config::BASE_URL.to_owned(),
        }
    }
}

impl Mail {
    /// Whether mail is to be sent.
    pub(crate) fn is_on(&self) -> bool {
        !self.api_key.expose_secret().is_empty()
    }

    /// What the client needs of it.
    pub(crate) fn client(&self) -> Result<resend::client::Config, resend::client::ConfigInvalid> {
        resend::client::Config::new(self.api_key.clone(), &self.base_url, &self.from)
    }
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

/// How many people an organization may have.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Seats {
    /// Active members and pending invitations of one organization; no limit without it.
    pub max: Option<u32>,
}

/// How people sign up.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct SignUps {
    /// Whoever signs up is let in before the address is proven. Tells strangers who has an account: for laptops and
    /// demonstrations.
    pub unproven: bool,
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
        self.sso.validate(problems);
        if self.mail.is_on() {
            if let Err(error) = AppUrl::parse(&self.app_url) {
                problems.invalid("app_url", error.to_string());
            }
            if let Err(error) = self.mail.client() {
                let key = match error {
                    ConfigInvalid::BaseUrl => "mail.base_url",
                    ConfigInvalid::ApiKey => "mail.api_key",
                    ConfigInvalid::From => "mail.from",
                };
                problems.invalid(key, error.to_string());
            }
        }
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
        Sso::document(Docs::new())
            .section("db", DbConfig::DOCS)
            .section("bus", BusConfig::DOCS)
            .section("vault", VaultConfig::DOCS)
            .key(
                "app_url",
                "",
                "Where people use the product, `https://app.example.com`: links in mail lead there. Needed to send mail.",
            )
            .key("mail.api_key", "", "API key of Resend. Without it no mail is sent: it waits.")
            .key(
                "mail.from",
                "",
                "Sender of mail, `Switchboard <mail@example.com>`; Resend must have verified its domain.",
            )
            .key("mail.base_url", "https://api.resend.com", "Where Resend is.")
            .key("sessions.absolute_days", "30", "Days a login lives, however active it is.")
            .key("sessions.idle_days", "7", "Days a login lives without being used.")
            .key("sign_up.unproven", "false", "Lets people in before they have proven their address.")
            .key(
                "seats.max",
                "",
                "Active members and pending invitations of one organization; no limit without it.",
            )
            .key(
                "service_clients",
                "",
                "Secret of each program that gets service tokens, by client id; 32 to 256 random characters.",
            )
    }

    fn aliases() -> &'static [Alias] {
        &[
            Alias {
                env: "APP_URL",
                key: "app_url",
            },
            Alias {
                env: "RESEND_API_KEY",
                key: "mail.api_key",
            },
            Alias {
                env: "RESEND_FROM_EMAIL",
                key: "mail.from",
            },
        ]
    }
}
