//! The edge's settings.

mod docs;
mod secret;

use std::{collections::BTreeMap, time::Duration};

use bus::BusConfig;
use chassis::config::{Alias, Docs, Problems, Settings, Validate};
use db::DbConfig;
use resend::webhook::{SecretsError, SigningSecrets};
use sb_http::client::Network;
use secrecy::SecretString;
use serde::Deserialize;

pub use secret::Secret;

use crate::domain::apps::{App, AppInvalid, Apps};

/// Transactions of the system role besides the writers': the relay's and one of each sweep.
const OTHER_TRANSACTIONS: u32 = 3;

/// The root of the settings.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The database.
    pub db: DbConfig,
    /// The broker. Intake does without it.
    pub bus: BusConfig,
    /// WhatsApp.
    #[serde(default)]
    pub whatsapp: WhatsApp,
    /// Resend.
    #[serde(default)]
    pub resend: Resend,
    /// Limits of what comes in.
    #[serde(default)]
    pub intake: Intake,
}

/// The Meta apps whose webhooks are accepted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct WhatsApp {
    /// By the name in the callback address `/webhooks/whatsapp/{app}`.
    pub apps: BTreeMap<String, WhatsAppApp>,
}

/// Resend, which tells what became of our e-mail.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Resend {
    /// The signing secret of the webhook at Resend; up to three while it is being changed. Without one, there is no
    /// `/webhooks/resend`.
    pub secrets: Vec<Secret>,
}

/// One Meta app.
#[derive(Debug, Clone, Deserialize)]
pub struct WhatsAppApp {
    /// Its app secret; up to three while it is being changed.
    pub secrets: Vec<Secret>,
    /// What Meta must repeat when it verifies the callback address.
    pub verify_token: SecretString,
}

/// What a request may cost before and while it is stored.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Intake {
    /// How long a body may take to arrive.
    pub body_timeout_ms: u64,
    /// A body that is slower than this, after its first two seconds, is given up.
    pub min_bytes_per_second: u32,
    /// Requests at once whose signature is not verified yet.
    pub max_unverified: usize,
    /// The same from one address, or from one IPv6 network of a single customer (/64).
    pub max_unverified_per_address: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Bytes of bodies that are being read or stored, all together.
    pub max_buffered_bytes: u32,
    /// Verified requests that wait for a writer.
    pub queue: usize,
    /// Transactions that store requests at the same time.
    pub writers: u32,
    /// Requests stored in one transaction, at most.
    pub batch_max: usize,
    /// How long storing may take before the sender is told to come again. Meta gives up after about 5 s.
    pub answer_timeout_ms: u64,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            body_timeout_ms: 10_000,
            min_bytes_per_second: 4_096,
            max_unverified: 1_024,
            max_unverified_per_address: 256,
            trusted_proxies: Vec::new(),
            max_buffered_bytes: 128 * 1024 * 1024,
            queue: 4_096,
            writers: 2,
            batch_max: 256,
            answer_timeout_ms: 4_000,
        }
    }
}

impl Intake {
    pub(crate) const fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(crate) const fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }
}

impl Validate for Intake {
    fn validate(&self, problems: &mut Problems) {
        let positive = [
            ("body_timeout_ms", self.body_timeout_ms),
            ("min_bytes_per_second", self.min_bytes_per_second.into()),
            ("max_unverified", self.max_unverified as u64),
            (
                "max_unverified_per_address",
                self.max_unverified_per_address as u64,
            ),
            ("queue", self.queue as u64),
            ("writers", self.writers.into()),
            ("batch_max", self.batch_max as u64),
            ("answer_timeout_ms", self.answer_timeout_ms),
        ];
        problems.at_least(1, &positive);
        // Less, and a body of the size that Meta may send could never be read.
        let room = ("max_buffered_bytes", self.max_buffered_bytes.into());
        problems.at_least(crate::http::MAX_BODY_BYTES as u64, &[room]);
    }
}

impl Validate for WhatsApp {
    fn validate(&self, problems: &mut Problems) {
        if self.apps.is_empty() {
            let message = "name at least one app: apps.<name>.secrets and apps.<name>.verify_token";
            problems.invalid("apps", message);
        }
        for (name, app) in &self.apps {
            for problem in app.app(name).err().unwrap_or_default() {
                let key = match problem {
                    AppInvalid::Name => format!("apps.{name}"),
                    AppInvalid::Secrets(_) => format!("apps.{name}.secrets"),
                    AppInvalid::VerifyToken => format!("apps.{name}.verify_token"),
                };
                problems.invalid(&key, problem.to_string());
            }
        }
    }
}

impl WhatsApp {
    /// # Errors
    /// What is wrong with the first app that has something wrong.
    pub(crate) fn apps(&self) -> Result<Apps, AppInvalid> {
        let app = |(name, app): (&String, &WhatsAppApp)| {
            app.app(name)
                .map_err(|problems| problems.into_iter().next().unwrap_or(AppInvalid::Name))
        };
        self.apps.iter().map(app).collect()
    }
}

impl Resend {
    /// What deliveries are verified with; nothing when none is set.
    pub(crate) fn secrets(&self) -> Result<Option<SigningSecrets>, SecretsError> {
        if self.secrets.is_empty() {
            return Ok(None);
        }
        let secrets = self.secrets.iter().map(Secret::to_signing_secret);
        SigningSecrets::new(secrets.collect::<Result<_, _>>()?).map(Some)
    }
}

impl Validate for Resend {
    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = self.secrets() {
            problems.invalid("secrets", error.to_string());
        }
    }
}

impl WhatsAppApp {
    fn app(&self, name: &str) -> Result<App, Vec<AppInvalid>> {
        let secrets = self.secrets.iter().map(Secret::to_app_secret).collect();
        App::new(name, secrets, self.verify_token.clone())
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        problems.reported("db", self.db.problems());
        problems.reported("bus", self.bus.problems());
        problems.section("whatsapp", &self.whatsapp);
        problems.section("resend", &self.resend);
        problems.section("intake", &self.intake);
        if self.intake.writers.saturating_add(OTHER_TRANSACTIONS) > self.db.system_max_connections {
            problems.conflict(
                &["intake.writers", "db.system_max_connections"],
                format!(
                    "each writer needs a connection, and relay and sweeps need {OTHER_TRANSACTIONS}"
                ),
            );
        }
    }
}

impl Settings for Config {
    fn docs() -> Docs {
        docs::all()
    }

    /// A single-tenant install has one Meta app, and some of these variables already.
    fn aliases() -> &'static [Alias] {
        &[
            Alias {
                env: "WHATSAPP_APP_SECRET",
                key: "whatsapp.apps.default.secrets",
            },
            Alias {
                env: "WHATSAPP_WEBHOOK_VERIFY_TOKEN",
                key: "whatsapp.apps.default.verify_token",
            },
            Alias {
                env: "RESEND_WEBHOOK_SECRET",
                key: "resend.secrets",
            },
        ]
    }
}
