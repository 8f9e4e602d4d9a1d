//! The settings of messaging.

use blobs::BlobsConfig;
use bus::BusConfig;
use chassis::{
    ChannelConfig,
    config::{Alias, Docs, Problems, Settings, Validate},
};
use db::DbConfig;
use outbound::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use vault::VaultConfig;
use whatsapp::{ApiVersion, client};

use crate::jobs::sweep_files::Brake;

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
    /// Files of messages.
    pub media: Media,
}

/// Files of messages.
#[derive(Debug, Clone, Deserialize)]
pub struct Media {
    /// Where they are.
    pub store: BlobsConfig,
    /// Where clients reach the HTTP port of this service: addresses of files begin with it.
    pub public_url: String,
    /// Signs those addresses; any random text of at least 32 characters, the same in every replica.
    pub link_secret: SecretString,
    /// The largest part of all files that a pass of the sweep may delete, in percent.
    #[serde(default = "Media::sweep_most_percent")]
    pub sweep_most_percent: u8,
}

impl Media {
    const fn sweep_most_percent() -> u8 {
        20
    }

    pub(crate) const fn brake(&self) -> Brake {
        Brake {
            most_percent: self.sweep_most_percent,
        }
    }
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
        client::Config::BASE_URL.to_owned()
    }

    fn version() -> String {
        ApiVersion::DEFAULT.to_string()
    }

    /// What the client needs of it, or the key at fault and what is wrong with it.
    pub(crate) fn client(&self) -> Result<client::Config, (&'static str, String)> {
        let version = self
            .api_version
            .parse()
            .map_err(|_| ("api_version", "must look like v25.0".to_owned()))?;
        client::Config::at(&self.base_url, version).map_err(|error| ("base_url", error.to_string()))
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        problems.reported("db", self.db.problems());
        problems.reported("bus", self.bus.problems());
        problems.section("identity", &self.identity);
        problems.section("whatsapp", &self.whatsapp);
        problems.reported("media.store", self.media.store.problems());
        problems.section("media", &self.media);
    }
}

impl Validate for Media {
    fn validate(&self, problems: &mut Problems) {
        if self.link_secret.expose_secret().len() < 32 {
            problems.invalid("link_secret", "must have at least 32 characters");
        }
        let sound = Url::parse(&self.public_url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
        });
        if !sound {
            problems.invalid("public_url", "must be an http or https address");
        }
        if self.sweep_most_percent > 100 {
            problems.invalid("sweep_most_percent", "must be at most 100");
        }
    }
}

impl Validate for WhatsApp {
    fn validate(&self, problems: &mut Problems) {
        if self.callback_secret.expose_secret().len() < 32 {
            problems.invalid("callback_secret", "must have at least 32 characters");
        }
        if let Err((key, sentence)) = self.client() {
            problems.invalid(key, sentence);
        }
    }
}

impl Settings for Config {
    fn docs() -> Docs {
        Docs::new()
            .section("db", DbConfig::DOCS)
            .section("bus", BusConfig::DOCS)
            .section("identity", ChannelConfig::DOCS)
            .section("vault", VaultConfig::DOCS)
            .section("media.store", BlobsConfig::DOCS)
            .key(
                "media.public_url",
                "",
                "Where clients reach the HTTP port of messaging, https://files.example.com: addresses of files begin with it.",
            )
            .key(
                "media.link_secret",
                "",
                "Signs the addresses of files: 32 random characters or more, the same in every replica.",
            )
            .key(
                "media.sweep_most_percent",
                "20",
                "The largest part of all files that a pass of the sweep may delete, in percent; when more would go, nothing does and an error is logged. 50 files may always go.",
            )
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
