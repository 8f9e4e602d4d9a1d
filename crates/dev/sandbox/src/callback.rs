//! Calling back, as providers do with webhooks.

use std::time::Duration;

use reqwest::Client;
use serde::{Deserialize, Serialize};

/// How a delivery attempt ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The status that counts as received.
    Acknowledged,
    /// Any other status.
    Refused,
    TimedOut,
    Unreachable,
}

/// The client that plays a provider's webhook sender.
#[expect(
    clippy::disallowed_methods,
    reason = "plays a third party: it must not trace, retry or guard addresses as we do"
)]
pub(crate) fn callback_client(user_agent: &str) -> Result<Client, reqwest::Error> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Lost to another thread means it is installed, which is all that matters.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    Client::builder()
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(3))
        .pool_max_idle_per_host(64)
        .build()
}
