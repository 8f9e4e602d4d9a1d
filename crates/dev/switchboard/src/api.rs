//! A small client of the public API, as a customer's program would have it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

/// A logged-in caller.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// One server-sent event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Resumes the stream.
    pub id: String,
    /// `message.received`, …, or `heartbeat`.
    pub kind: String,
    /// proto3 JSON.
    pub data: Value,
}

/// An HTTP client with a deadline.
#[expect(
    clippy::disallowed_methods,
    reason = "a laptop's client, not a service's"
)]
pub fn http() -> Result<reqwest::Client> {
    chassis::install_crypto();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .build()
        .context("make the HTTP client")
}

impl Api {
    /// With a token or an API key.
    pub fn new(http: reqwest::Client, base: &str, token: &str) -> Self {
        Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Logs in with e-mail and password.
    pub async fn log_in(base: &str, email: &str, password: &str) -> Result<Self> {
        let http = http()?;
        let answer = http
            .post(format!("{base}/v1/sessions"))
            .json(&json!({ "email": email, "password": password }))
            .timeout(Duration::from_secs(10))
            .send()
            .await?;
        let body: Value = answer.error_for_status()?.json().await?;
        let token = body["tokens"]["accessToken"]
            .as_str()
            .context("an access token")?;
        Ok(Self::new(http, base, token))
    }

    /// GET; any answer but a success is an error with the problem's text.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let request = self
            .http
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        finish(request).await
    }

    /// POST with an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("idempotency-key", key)
            .json(body);
        finish(request).await
    }

    /// Opens the event stream, after `cursor` or at the present.
    pub async fn events(
        &self,
        cursor: Option<&str>,
    ) -> Result<impl Stream<Item = Event> + Unpin + use<>> {
        let mut request = self
            .http
            .get(format!("{}/v1/events", self.base))
            .bearer_auth(&self.token)
            .header("accept", "text/event-stream");
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        let answer = request.send().await?.error_for_status()?;
        let mut buffer = String::new();
        let frames = answer.bytes_stream().flat_map(move |chunk| {
            buffer.push_str(&String::from_utf8_lossy(&chunk.unwrap_or_default()));
            let mut events = Vec::new();
            while let Some(end) = buffer.find("\n\n") {
                let frame: String = buffer.drain(..end + 2).collect();
                events.extend(parse(&frame));
            }
            futures::stream::iter(events)
        });
        Ok(Box::pin(frames))
    }
}

async fn finish(request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request.timeout(Duration::from_secs(30)).send().await?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if !status.is_success() {
        bail!("{status}: {} ({})", body["detail"], body["code"]);
    }
    Ok(body)
}

/// One frame; comments and the reconnect hint are no events. A frame with only an id is a heartbeat:
/// it moves the cursor.
fn parse(frame: &str) -> Option<Event> {
    let field = |name: &str| {
        frame
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim_start)
    };
    Some(Event {
        id: field("id")?.to_owned(),
        kind: field("event").unwrap_or("heartbeat").to_owned(),
        data: field("data")
            .and_then(|data| serde_json::from_str(data).ok())
            .unwrap_or_default(),
    })
}
