//! A small client of the public API, as a customer's program would have it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder};
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

    /// Signs an organization up; returns its owner, and its id.
    pub async fn sign_up(
        base: &str,
        organization: &str,
        email: &str,
        password: &str,
    ) -> Result<(Self, String)> {
        let body = json!({
            "organizationName": organization, "name": "Owner", "email": email, "password": password,
        });
        let (api, answer) = Self::with_tokens_of(base, "/v1/organizations", &body).await?;
        let id = answer["organization"]["id"]
            .as_str()
            .context("an organization")?;
        Ok((api, id.to_owned()))
    }

    /// Logs in with e-mail and password.
    pub async fn log_in(base: &str, email: &str, password: &str) -> Result<Self> {
        let body = json!({ "email": email, "password": password });
        let (api, _) = Self::with_tokens_of(base, "/v1/sessions", &body).await?;
        Ok(api)
    }

    /// A caller with the access token that this call answers, and the whole answer.
    async fn with_tokens_of(base: &str, path: &str, body: &Value) -> Result<(Self, Value)> {
        let http = http()?;
        let answer = finish(http.post(format!("{base}{path}")).json(body)).await?;
        let token = answer["tokens"]["accessToken"]
            .as_str()
            .context("an access token")?;
        Ok((Self::new(http, base, token), answer))
    }

    /// The access token or API key.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request of this caller, to be sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }

    /// GET; any answer but a success is an error with the problem's text.
    pub async fn get(&self, path: &str) -> Result<Value> {
        finish(self.request(Method::GET, path)).await
    }

    /// POST with an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        let request = self.request(Method::POST, path);
        finish(request.header("idempotency-key", key).json(body)).await
    }

    /// Opens the event stream, after `cursor` or at the present.
    pub async fn events(
        &self,
        cursor: Option<&str>,
    ) -> Result<impl Stream<Item = Event> + Unpin + use<>> {
        let mut request = self
            .request(Method::GET, "/v1/events")
            .header("accept", "text/event-stream");
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        let answer = request.send().await?.error_for_status()?;
        let mut received = Vec::new();
        let frames = answer.bytes_stream().flat_map(move |chunk| {
            received.extend_from_slice(&chunk.unwrap_or_default());
            let frames = whole_frames(&mut received);
            futures::stream::iter(frames).filter_map(async |frame| parse(&frame))
        });
        Ok(Box::pin(frames))
    }
}

async fn finish(request: RequestBuilder) -> Result<Value> {
    let answer = request.timeout(Duration::from_secs(30)).send().await?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if !status.is_success() {
        bail!("{status}: {} ({})", body["detail"], body["code"]);
    }
    Ok(body)
}

/// Takes the complete frames out. What is left may end in the middle of a character.
fn whole_frames(received: &mut Vec<u8>) -> Vec<String> {
    let mut frames = Vec::new();
    while let Some(end) = received.windows(2).position(|pair| pair == b"\n\n") {
        let rest = received.split_off(end + 2);
        let frame = std::mem::replace(received, rest);
        frames.push(String::from_utf8_lossy(&frame).into_owned());
    }
    frames
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_between_two_chunks_is_whole() {
        let text = "id: 1.2\ndata: {\"text\": \"é\"}\n\n: a comment\n\nid: 1.3\n\n";
        let (mut received, mut events) = (Vec::new(), Vec::new());
        for byte in text.bytes() {
            received.push(byte);
            events.extend(whole_frames(&mut received).iter().filter_map(|f| parse(f)));
        }
        assert!(received.is_empty());
        let [first, second] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(first.data["text"], "é");
        assert_eq!(
            (second.kind.as_str(), second.id.as_str()),
            ("heartbeat", "1.3")
        );
    }
}
