//! A sandbox with one team, an endpoint that records its webhooks, and a client.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use clock::Clock;
use http::StatusCode;
use reqwest::{Client, RequestBuilder};
use sandbox::{
    DelayRange, Sandbox, SandboxConfig, SandboxHandle,
    resend::{EndpointSpec, EventSettings, Fault, Filter, Mail, SetupSpec},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::harness::fetch;

pub(crate) const KEY: &str = "re_test";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SOON: Duration = Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) sandbox: SandboxHandle,
    pub(crate) client: Client,
    pub(crate) inbox: Inbox,
    inbox_url: String,
    _server: JoinSet<()>,
}

/// What the endpoint has received.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    posts: Mutex<Vec<(HeaderMap, Bytes)>>,
    refusals_left: AtomicU32,
}

impl Inbox {
    /// Answers the next `count` deliveries with 503.
    pub(crate) fn refuse(&self, count: u32) {
        self.0.refusals_left.store(count, Ordering::SeqCst);
    }

    pub(crate) fn posts(&self) -> Vec<(HeaderMap, Bytes)> {
        self.0.posts.lock().expect("not poisoned").clone()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        let parse = |(_, body): &(HeaderMap, Bytes)| serde_json::from_slice(body).expect("JSON");
        self.posts().iter().map(parse).collect()
    }

    pub(crate) fn words(&self) -> Vec<String> {
        let events = self.events();
        let words = events.iter().map(|event| event["type"].as_str());
        words.map(|word| word.expect("a word").to_owned()).collect()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at(Clock::system()).await
    }

    /// Short delays; no rate limit, which has tests of its own.
    pub(crate) async fn at(clock: Clock) -> Self {
        let mut config = SandboxConfig::default();
        config.resend.events = EventSettings {
            sent_ms: DelayRange(5, 10),
            delivered_ms: DelayRange(60, 70),
            complained_ms: DelayRange(60, 70),
        };
        config.resend.limits.requests_per_second = 0;
        config.resend.webhooks.retry_ms = vec![10, 10, 10];
        let sandbox = Sandbox::start(config, clock).await.expect("it starts");
        let (url, inbox, server) = endpoint().await;
        let spec = SetupSpec {
            api_key: KEY.into(),
            webhooks: vec![EndpointSpec {
                url: url.clone(),
                signing_secrets: vec![SECRET.into()],
                events: None,
            }],
            ..SetupSpec::default()
        };
        sandbox.resend().set_up(spec).expect("it is set up");
        Self {
            sandbox,
            client: client(),
            inbox,
            inbox_url: url,
            _server: server,
        }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}/{path}", self.sandbox.resend_url());
        self.client.post(url).bearer_auth(KEY).json(body)
    }

    /// An e-mail with these fields changed.
    pub(crate) fn send(&self, fields: &Value) -> RequestBuilder {
        self.post("emails", &email(fields))
    }

    /// Sends with a key.
    pub(crate) fn send_as(&self, key: &str) -> RequestBuilder {
        self.send(&json!({})).header("idempotency-key", key)
    }

    pub(crate) async fn sent(&self, request: RequestBuilder) -> String {
        let (status, answer) = fetch(request).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Status and name of a refusal.
    pub(crate) async fn refusal(&self, request: RequestBuilder) -> (u16, String) {
        let (status, answer) = fetch(request).await;
        let name = answer["name"].as_str();
        let name = name.unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert_eq!(answer["statusCode"], status.as_u16());
        (status.as_u16(), name)
    }

    pub(crate) fn script(&self, fault: Fault) {
        self.sandbox.resend().script(fault);
    }

    pub(crate) fn mailbox(&self) -> Vec<Mail> {
        self.sandbox.resend().ledger().mailbox(&Filter::default())
    }

    pub(crate) fn inbox_url(&self) -> &str {
        &self.inbox_url
    }

    pub(crate) fn control(&self, path: &str) -> String {
        format!("{}/resend/{path}", self.sandbox.control_url())
    }

    /// Waits until every event has happened and was delivered or given up.
    pub(crate) async fn quiet(&self) {
        testkit::eventually(SOON, async || self.sandbox.resend().pending_webhooks() == 0).await;
    }
}

pub(crate) fn email(fields: &Value) -> Value {
    let mut email = json!({
        "from": "App <app@switchboard.example>", "to": ["Ada <ada@example.com>"],
        "subject": "Reset your password",
        "text": "Open https://app.example/reset?t=1",
        "tags": [{"name": "category", "value": "reset"}],
    });
    let fields = fields.as_object().expect("an object").clone();
    email.as_object_mut().expect("an object").extend(fields);
    email
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test is the client under its own control"
)]
fn client() -> Client {
    let builder = Client::builder().timeout(SOON).user_agent("test");
    builder.build().expect("a client")
}

async fn endpoint() -> (String, Inbox, JoinSet<()>) {
    async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let refusals = &inbox.0.refusals_left;
        let refused = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if refused.is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let mut posts = inbox.0.posts.lock().expect("not poisoned");
        posts.push((headers, body));
        StatusCode::NO_CONTENT
    }

    let inbox = Inbox::default();
    let router = Router::new()
        .route("/webhooks/resend", post(receive))
        .with_state(inbox.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut server = JoinSet::new();
    server.spawn(async move {
        axum::serve(listener, router).await.expect("it serves");
    });
    (format!("http://{address}/webhooks/resend"), inbox, server)
}
