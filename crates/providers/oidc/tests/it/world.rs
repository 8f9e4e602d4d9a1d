//! Our side, and a login at the provider that lies.

use std::{sync::Once, time::Duration};

use chrono::{DateTime, Utc};
use clock::Clock;
use ids::SsoConnectionId;
use oidc::{Begun, Callback, Client, Config, Identity, Kind, Limits, Pending, Refusal, Settings};
use outbound::guard::Policy;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::{
    forge::{Key, changed},
    hostile::{Answer, Hostile, KEYS, TOKEN},
};

static PROVIDER: Once = Once::new();

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const REDIRECT: &str = "https://app.example/sso/sso_1/callback";
pub(crate) const SECRET: &str = "a secret / of ours";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).expect("a time")
}

/// For providers on loopback.
pub(crate) fn policy(ports: &[u16]) -> Policy {
    Policy {
        allow_http: true,
        ports: ports.to_vec(),
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Policy::default()
    }
}

pub(crate) fn config(ports: &[u16]) -> Config {
    Config {
        policy: policy(ports),
        ..Config::default()
    }
}

pub(crate) fn client(config: Config) -> Client {
    install_tls();
    Client::new(config, Clock::system()).expect("a client")
}

/// TLS needs a provider once per process; in production the binary installs it.
pub(crate) fn install_tls() {
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("no provider was installed before");
    });
}

/// A value of the address the browser is sent to.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

/// The same pending login once more, as somebody would have it who stole it from its store.
pub(crate) fn copied(pending: &Pending) -> Pending {
    altered(pending, "/", |_| {})
}

/// With something else in one place.
pub(crate) fn altered(pending: &Pending, at: &str, change: impl Fn(&mut Value)) -> Pending {
    let mut stored = serde_json::to_value(pending).expect("it can be stored");
    if let Some(place) = stored.pointer_mut(at) {
        change(place);
    }
    serde_json::from_value(stored).expect("it can be read again")
}

/// A login at a provider that lies: everything is right except what a test changes.
pub(crate) struct World {
    pub(crate) hostile: Hostile,
    pub(crate) client: Client,
    pub(crate) connection: SsoConnectionId,
    pub(crate) settings: Settings,
    pub(crate) key: Key,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of_kind(Kind::Generic).await
    }

    pub(crate) async fn of_kind(kind: Kind) -> Self {
        let hostile = Hostile::start().await;
        let key = Key::new("key-1", 1);
        hostile.answer(KEYS, Answer::Json(json!({"keys": [key.jwk()]})));
        let mut settings = Settings::new(
            kind,
            hostile.issuer.as_str(),
            "us",
            Some(SecretString::from(SECRET)),
        );
        settings.userinfo = false;
        let limits = Limits {
            deadline: Duration::from_millis(1_500),
            ..Limits::default()
        };
        Self {
            client: client(Config {
                limits,
                ..config(&[hostile.port])
            }),
            connection: SsoConnectionId::generate(),
            settings,
            key,
            hostile,
        }
    }

    /// The claims of an honest token.
    pub(crate) fn claims(&self, nonce: &str) -> Value {
        json!({
            "iss": self.hostile.issuer, "sub": "user-1", "aud": "us", "nonce": nonce,
            "iat": NOW, "exp": NOW + 300, "email": "ann@corp.example", "email_verified": true,
            "name": "Ann",
        })
    }

    pub(crate) async fn provider(&self) -> oidc::Provider {
        let provider = self.client.provider(self.connection, &self.settings, now());
        provider.await.expect("a sound provider")
    }

    pub(crate) async fn begin(&self) -> (oidc::Provider, Begun) {
        let provider = self.provider().await;
        let redirect = Url::parse(REDIRECT).expect("a URL");
        let begun = self.client.begin(&provider, redirect, None, now());
        (provider, begun)
    }

    /// What an honest provider sends back through the browser.
    pub(crate) fn callback(begun: &Begun) -> Callback {
        Callback {
            code: Some("code-1".to_owned()),
            state: parameter(&begun.url, "state"),
            ..Callback::default()
        }
    }

    /// Makes the token endpoint answer with this ID token.
    pub(crate) fn issue(&self, id_token: &str) {
        let answer = json!({
            "access_token": "access-1", "token_type": "Bearer", "expires_in": 300,
            "id_token": id_token,
        });
        self.hostile.answer(TOKEN, Answer::Json(answer));
    }

    /// A login that gets the token `make` makes for its nonce.
    pub(crate) async fn login_with(
        &self,
        make: impl FnOnce(Value) -> String,
    ) -> Result<Identity, Refusal> {
        let (provider, begun) = self.begin().await;
        let nonce = parameter(&begun.url, "nonce").expect("a nonce");
        self.issue(&make(self.claims(&nonce)));
        let callback = Self::callback(&begun);
        let finish = self
            .client
            .finish(&provider, begun.pending, callback, now());
        finish.await
    }

    /// A login whose token has other claims.
    pub(crate) async fn login(&self, changes: &Value) -> Result<Identity, Refusal> {
        self.login_with(|claims| self.key.sign(&changed(claims, changes)))
            .await
    }
}

/// The word of the refusal.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.expect_err("refused").reason()
}
