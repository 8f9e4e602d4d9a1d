//! The gateway's settings.

use std::time::Duration;

use chassis::{
    ChannelConfig,
    config::{Alias, Docs, Problems, Settings, Validate},
};
use sb_http::{body::Limits, client::Network};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::browser::{Cookies, WebOrigin};

/// How long a revoked API key may go on working here: the promise of the API.
const LONGEST_KEY_TTL_MS: u64 = 60_000;

const DAY: Duration = Duration::from_hours(24);

/// The root of the settings.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The identity service.
    pub identity: ChannelConfig,
    /// The messaging service.
    pub messaging: ChannelConfig,
    /// The gateway's own client credentials.
    pub client: ServiceClient,
    /// REST requests.
    #[serde(default)]
    pub api: Api,
    /// Sessions of browsers.
    #[serde(default)]
    pub browser: Browser,
    /// Pages of other origins.
    #[serde(default)]
    pub cors: Cors,
    /// The event stream.
    #[serde(default)]
    pub events: Events,
    /// What is remembered of credentials.
    #[serde(default)]
    pub credentials: Remembered,
}

/// OAuth 2 client credentials, for exchanging API keys.
#[derive(Debug, Clone, Deserialize)]
pub struct ServiceClient {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: SecretString,
}

/// Limits of a REST request.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Api {
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout_ms: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// The address that the outside has for this gateway, for addresses in answers. Never taken from a request. Identity
    /// has the same as `sso.public_url`.
    pub public_url: Url,
}

/// Sessions of browsers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Browser {
    /// Where the application's pages come from, for browsers that send no `Sec-Fetch-Site`.
    pub origins: Vec<WebOrigin>,
    /// How long a browser keeps a session that it does not use. Identity may end it earlier.
    pub keep_days: u32,
    /// Where the application is, if not at the gateway's own origin: put before the path where a single sign-on ends.
    pub app_url: Option<WebOrigin>,
    /// Where a single sign-on that failed ends: a path at the gateway's own origin, or a whole address.
    pub login_page: String,
    /// Cookies that are sent without TLS: for development on this machine.
    pub insecure: bool,
}

/// Pages of other origins that may read answers (the Fetch standard's CORS).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Cors {
    /// These, with cookies; no others.
    pub origins: Vec<WebOrigin>,
}

/// The event stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Events {
    /// Between two signs of life on a quiet stream.
    pub heartbeat_ms: u64,
    /// How long the gateway tries to resume a lost stream before the client has to.
    pub resume_for_ms: u64,
}

/// What is remembered of credentials.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Exchanged API keys.
    pub api_keys: u64,
    /// How long an exchanged key is believed.
    pub api_key_ttl_ms: u64,
}

impl Config {
    /// Without a slash at the end.
    pub(crate) fn public_url(&self) -> &str {
        self.api.public_url.as_str().trim_end_matches('/')
    }
}

impl Api {
    pub(crate) fn body(&self) -> Limits {
        Limits {
            max_bytes: self.max_body_bytes,
            timeout: Duration::from_millis(self.body_timeout_ms),
        }
    }
}

impl Browser {
    pub(crate) fn cookies(&self) -> Cookies {
        Cookies {
            insecure: self.insecure,
            keep: DAY * self.keep_days,
        }
    }
}

impl Events {
    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms)
    }

    pub(crate) fn resume_for(&self) -> Duration {
        Duration::from_millis(self.resume_for_ms)
    }
}

impl Remembered {
    pub(crate) fn api_key_ttl(&self) -> Duration {
        Duration::from_millis(self.api_key_ttl_ms)
    }
}

impl Default for Api {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            body_timeout_ms: 10_000,
            trusted_proxies: Vec::new(),
            public_url: Url::parse("http://127.0.0.1:8080").expect("it is an address"),
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            keep_days: 30,
            app_url: None,
            login_page: "/login".to_owned(),
            insecure: false,
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self {
            heartbeat_ms: 15_000,
            resume_for_ms: 15_000,
        }
    }
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            api_keys: 10_000,
            api_key_ttl_ms: 30_000,
        }
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        problems.section("identity", &self.identity);
        problems.section("messaging", &self.messaging);
        if self.client.id.is_empty() {
            problems.invalid("client.id", "must not be empty");
        }
        if self.client.secret.expose_secret().is_empty() {
            problems.invalid("client.secret", "must not be empty");
        }
        let positive = [
            ("api.max_body_bytes", self.api.max_body_bytes as u64),
            ("api.body_timeout_ms", self.api.body_timeout_ms),
            ("events.heartbeat_ms", self.events.heartbeat_ms),
            ("credentials.api_keys", self.credentials.api_keys),
        ];
        problems.at_least(1, &positive);
        if !(1..=365).contains(&self.browser.keep_days) {
            problems.invalid("browser.keep_days", "must be between 1 and 365");
        }
        if self.credentials.api_key_ttl_ms > LONGEST_KEY_TTL_MS {
            let message = "must be at most 60000: a revoked key works that long";
            problems.invalid("credentials.api_key_ttl_ms", message);
        }
    }
}

impl Settings for Config {
    fn docs() -> Docs {
        Docs::new()
            .section("identity", ChannelConfig::DOCS)
            .section("messaging", ChannelConfig::DOCS)
            .section("client", &[
                ("id", "", "Client id of the gateway, for exchanging API keys."),
                ("secret", "", "Client secret of the gateway."),
            ])
            .section("api", &[
                ("max_body_bytes", "1048576", "Largest request body, in bytes."),
                ("body_timeout_ms", "10000", "How long a request body may take to arrive."),
                ("trusted_proxies", "", "Networks of the proxies whose X-Forwarded-For is believed."),
                ("public_url", "http://127.0.0.1:8080/", "The address that the outside has for this gateway; the same as identity's sso.public_url."),
            ])
            .section("browser", &[
                ("origins", "", "Origins of the application's pages, as https://app.example.com, for browsers that send no Sec-Fetch-Site."),
                ("keep_days", "30", "How long a browser keeps a session that it does not use; identity may end it earlier."),
                ("app_url", "", "Origin of the application where single sign-on ends, as https://app.example.com; the gateway's own without it."),
                ("login_page", "/login", "Where a single sign-on that failed ends: a path at the gateway's own origin, or a whole address."),
                ("insecure", "false", "Cookies without Secure and __Host-, for development over HTTP on this machine only."),
            ])
            .section("cors", &[
                ("origins", "", "Other origins whose pages may call the API with the session's cookies; none without it."),
            ])
            .section("events", &[
                ("heartbeat_ms", "15000", "Between two signs of life on a quiet event stream."),
                ("resume_for_ms", "15000", "How long the gateway tries to resume a lost stream before the client has to."),
            ])
            .section("credentials", &[
                ("api_keys", "10000", "Exchanged API keys that are remembered."),
                ("api_key_ttl_ms", "30000", "How long an exchanged key is believed, at most 60000: a revoked key works that long."),
            ])
    }

    fn aliases() -> &'static [Alias] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use chassis::config::{EnvSource, Source, load, review};

    use super::*;

    fn loaded(variables: &[(&str, &str)]) -> Result<Config, String> {
        let env: EnvSource = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let source = Source {
            service: "gateway",
            env: &env,
            file: None,
        };
        load(&source).map_err(|problems| problems.to_string())
    }

    #[test]
    fn every_key_is_documented_with_its_default() {
        assert_eq!(review::<Config>(), [""; 0]);
    }

    #[test]
    fn four_settings_are_enough() {
        let config = loaded(&[
            ("GATEWAY__IDENTITY__URL", "http://identity:9000"),
            ("GATEWAY__MESSAGING__URL", "http://messaging:9000"),
            ("GATEWAY__CLIENT__ID", "gateway"),
            ("GATEWAY__CLIENT__SECRET", "s3cret"),
        ])
        .expect("a configuration");
        assert_eq!(config.identity.timeout_ms, 5_000);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let problems = loaded(&[
            ("GATEWAY__IDENTITY__URL", "identity:9000"),
            ("GATEWAY__IDENTITY__TIMEOUT_MS", "500"),
            ("GATEWAY__CLIENT__ID", "gateway"),
            ("GATEWAY__CLIENT__SECRET", "s3cret"),
            ("GATEWAY__API__MAX_BODY_BYTES", "0"),
            ("GATEWAY__BROWSER__APP_URL", "https://app.example.com/inbox"),
            ("GATEWAY__CREDENTIALS__API_KEY_TTL_MS", "60001"),
        ])
        .expect_err("problems");
        for key in [
            "IDENTITY__URL",
            "IDENTITY__TIMEOUT_MS",
            "MESSAGING__URL",
            "API__MAX_BODY_BYTES",
            "BROWSER__APP_URL",
            "CREDENTIALS__API_KEY_TTL_MS",
        ] {
            assert!(problems.contains(key), "{key} is missing: {problems}");
        }
        assert!(!problems.contains("s3cret"));
    }
}
