//! The settings of messaging.

use bus::BusConfig;
use chassis::{
    ChannelConfig,
    config::{Alias, Docs, Problems, Settings, Validate},
};
use db::DbConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use vault::VaultConfig;

/// The root of the settings.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The database.
    pub db: DbConfig,
    /// The broker.
    pub bus: BusConfig,
    /// Secrets at rest.
    pub vault: VaultConfig,
    /// The identity service, whose keys verify callers.
    pub identity: ChannelConfig,
    /// WhatsApp.
    pub whatsapp: WhatsApp,
}

/// The Cloud API.
#[derive(Debug, Clone, Deserialize)]
pub struct WhatsApp {
    /// Where Graph is.
    #[serde(default = "WhatsApp::base_url")]
    pub base_url: String,
    /// The version of the API, `v25.0`.
    #[serde(default = "WhatsApp::version")]
    pub api_version: String,
    /// Makes the marks that come back with statuses; any random text of at least 32 characters, the
    /// same in every replica.
    pub callback_secret: SecretString,
}

impl WhatsApp {
    fn base_url() -> String {
        "https://graph.facebook.com".to_owned()
    }

    fn version() -> String {
        "v25.0".to_owned()
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        for problem in self.db.problems() {
            told(problems, "db", &problem);
        }
        for problem in self.bus.problems() {
            told(problems, "bus", &problem);
        }
        if self.whatsapp.callback_secret.expose_secret().len() < 32 {
            problems.invalid(
                "whatsapp.callback_secret",
                "must have at least 32 characters",
            );
        }
        if self.whatsapp.base_url.parse::<outbound::Url>().is_err() {
            problems.invalid("whatsapp.base_url", "must be an http or https address");
        }
        if self
            .whatsapp
            .api_version
            .parse::<whatsapp::ApiVersion>()
            .is_err()
        {
            problems.invalid("whatsapp.api_version", "must look like v25.0");
        }
    }
}

/// Platform crates report `field: sentence`.
fn told(problems: &mut Problems, section: &str, problem: &str) {
    let (field, sentence) = problem.split_once(": ").unwrap_or(("", problem));
    problems.invalid(&format!("{section}.{field}"), sentence);
}

impl Settings for Config {
    fn docs() -> Docs {
        Docs::new()
            .section("db", DbConfig::DOCS)
            .section("bus", BusConfig::DOCS)
            .section("identity", ChannelConfig::DOCS)
            .section("vault", VaultConfig::DOCS)
            .key("whatsapp.base_url", "https://graph.facebook.com", "Where the Cloud API is.")
            .key("whatsapp.api_version", "v25.0", "Version of the Cloud API.")
            .key(
                "whatsapp.callback_secret",
                "",
                "Makes the marks that come back with statuses: 32 random characters or more, the same in every replica.",
            )
    }

    fn aliases() -> &'static [Alias] {
        &[Alias {
            env: "WHATSAPP_API_VERSION",
            key: "whatsapp.api_version",
        }]
    }
}
