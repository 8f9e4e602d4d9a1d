//! Sending.

mod config;
mod error;
mod rejection;

use std::sync::Arc;

use http::{HeaderName, Method};
use outbound::{Request, Response};
use resend_rs::types::CreateEmailResponse;

pub use self::{
    config::{Config, ConfigInvalid},
    error::{Error, Period, Refusal, Why},
    rejection::Rejection,
};
use crate::email::{Email, IdempotencyKey};

/// Makes repetitions harmless; Resend remembers it for a day.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A client for one team of Resend. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    config: Arc<Config>,
    http: outbound::Client,
}

/// An e-mail that Resend has taken. What becomes of it comes by webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Resend's id of the e-mail: `email_id` of the events.
    pub id: String,
}

impl Client {
    /// A client. The deadline, the circuit breaker and the `User-Agent`, without which Resend answers nothing, are
    /// those of `http`.
    pub fn new(config: Config, http: outbound::Client) -> Self {
        Self {
            config: Arc::new(config),
            http,
        }
    }

    /// Sends an e-mail, in one attempt. With the same key, the same e-mail may be sent again after any
    /// [`Error::Retry`] or [`Error::Quota`] within [`IdempotencyKey::LIFETIME`]: Resend takes it once.
    ///
    /// # Errors
    /// [`Error`]: later, tomorrow, never, or not before a person has corrected the settings.
    pub async fn send(&self, email: &Email, key: &IdempotencyKey) -> Result<Sent, Error> {
        email.check()?;
        let body = email.request(self.config.from());
        let request = self.post("emails.send", "emails").json(&body);
        let response = request.header(IDEMPOTENCY_KEY, key.as_str()).send().await?;
        self.read(&response)
    }

    fn post(&self, operation: &'static str, path: &str) -> Request {
        let mut url = self.config.base_url().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(path);
        }
        let request = self.http.request(operation, Method::POST, url);
        request.bearer(self.config.api_key())
    }

    fn read(&self, response: &Response) -> Result<Sent, Error> {
        if !response.status().is_success() {
            let now = self.http.clock().now();
            return Err(Error::from_answer(Rejection::read(response), response, now));
        }
        // Taken, most likely; the key finds it when asked again.
        let answer: CreateEmailResponse = response.json()?;
        Ok(Sent {
            id: answer.id.to_string(),
        })
    }
}
