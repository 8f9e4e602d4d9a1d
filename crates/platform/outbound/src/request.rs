//! One call being put together.

use std::{fmt, time::Duration};

use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use reqwest::{Body, multipart};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::{Client, Error, Response, Retry, Streaming};

/// A call being put together. It goes out once, unless [`Request::idempotent`] allows more.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    pub(crate) client: Client,
    pub(crate) builder: reqwest::RequestBuilder,
    pub(crate) operation: &'static str,
    pub(crate) deadline: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) retry: Option<Retry>,
}

/// Without what is sent and where to: URLs, headers and bodies hold tokens and what customers wrote.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("client", &self.client)
            .field("operation", &self.operation)
            .field("deadline", &self.deadline)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Request {
    fn with(
        mut self,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Self {
        self.builder = change(self.builder);
        self
    }

    /// Sets a header. A value that is no header value makes the call fail as not sent.
    pub fn header(self, name: HeaderName, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// Sets a header whose value must not show up in debug output.
    pub fn secret_header(self, name: HeaderName, value: &SecretString) -> Self {
        let value = value.expose_secret();
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.with(|builder| builder.header(name, value))
            }
            // Left to fail in `send`, as any other unusable header.
            Err(_) => self.with(|builder| builder.header(name, "\n")),
        }
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.secret_header(AUTHORIZATION, &value)
    }

    /// `Authorization: Basic …`.
    pub fn basic(self, user: &str, password: &SecretString) -> Self {
        self.with(|builder| builder.basic_auth(user, Some(password.expose_secret())))
    }

    /// Adds to the query string.
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.with(|builder| builder.query(query))
    }

    /// A JSON body.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|builder| builder.json(body))
    }

    /// A form body.
    pub fn form<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|builder| builder.form(body))
    }

    /// A multipart body. It can't be repeated, so a retry is ignored.
    pub fn multipart(self, form: multipart::Form) -> Self {
        self.with(|builder| builder.multipart(form))
    }

    /// Any body; set the content type yourself.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.with(|builder| builder.body(body))
    }

    /// Another deadline than the client's, from the call to the last byte.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Another limit for the answer than the client's, in decoded bytes.
    pub const fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// States that repeating this call is harmless by the other side's contract, and lets it be
    /// repeated after transport failures and after 429, 502, 503 and 504.
    pub const fn idempotent(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Makes the call and reads the whole answer.
    ///
    /// # Errors
    /// [`Error`]; an answer with an error status is a [`Response`], not an error.
    pub async fn send(self) -> Result<Response, Error> {
        let client = self.client.clone();
        Box::pin(client.call(self, async |streaming: Streaming| streaming.collect().await)).await
    }

    /// Makes the call and returns once the head of the answer is there. The deadline then bounds
    /// the silence between two pieces of the body.
    ///
    /// # Errors
    /// As for [`Request::send`].
    pub async fn stream(self) -> Result<Streaming, Error> {
        let client = self.client.clone();
        Box::pin(client.call(self, async |streaming: Streaming| Ok(streaming))).await
    }
}
