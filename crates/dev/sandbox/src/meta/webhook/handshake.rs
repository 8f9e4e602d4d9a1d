use std::time::Duration;

use http::StatusCode;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};

/// Why a callback URL was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("the callback URL is not a URL")]
    Url,
    #[error("the callback could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the callback answered {0} instead of 200")]
    Status(StatusCode),
    #[error("the callback did not return the challenge")]
    Challenge,
}

/// Calls the callback as Meta does when it is saved: 200 and the challenge, nothing else.
pub(in crate::meta) async fn verify(
    client: &Client,
    callback: &Url,
    verify_token: &SecretString,
    challenge: &str,
) -> Result<(), HandshakeError> {
    let mut url = callback.clone();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", challenge)
        .append_pair("hub.verify_token", verify_token.expose_secret());
    let response = client
        .get(url)
        .timeout(Duration::from_secs(10))
        .send()
        .await
        // The URL holds the verify token.
        .map_err(|error| HandshakeError::Unreachable(error.without_url()))?;
    if response.status() != StatusCode::OK {
        return Err(HandshakeError::Status(response.status()));
    }
    let body = response
        .bytes()
        .await
        .map_err(|error| HandshakeError::Unreachable(error.without_url()))?;
    if body == challenge.as_bytes() {
        Ok(())
    } else {
        Err(HandshakeError::Challenge)
    }
}
