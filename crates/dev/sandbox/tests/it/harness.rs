//! A sandbox with one number, an app that records its webhooks, and a client.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};
use clock::Clock;
use http::StatusCode;
use reqwest::{Client, RequestBuilder};
use sandbox::{
    Sandbox, SandboxConfig, SandboxHandle,
    meta::{DelayRange, Fault, SetupReceipt, SetupSpec, StatusSettings},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub(crate) const SECRET: &str = "test_app_secret";
pub(crate) const TOKEN: &str = "test-token";
pub(crate) const VERIFY: &str = "test-verify-token";
pub(crate) const CUSTOMER: &str = "+16505551234";
/// Longer than anything takes on a busy machine.
const SOON: Duration = Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) sandbox: SandboxHandle,
    pub(crate) ids: SetupReceipt,
    pub(crate) client: Client,
    pub(crate) inbox: Inbox,
    _server: JoinSet<()>,
}

/// What the app behind the callback has received.
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

    fn values(&self, list: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for (_, body) in self.posts() {
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            for entry in body["entry"].as_array().expect("entries") {
                for change in entry["changes"].as_array().expect("changes") {
                    let items = change["value"][list].as_array();
                    found.extend(items.into_iter().flatten().cloned());
                }
            }
        }
        found
    }

    pub(crate) fn statuses(&self) -> Vec<Value> {
        self.values("statuses")
    }

    pub(crate) fn status_words(&self) -> Vec<String> {
        let statuses = self.statuses();
        statuses
            .iter()
            .map(|status| word(&status["status"]))
            .collect()
    }

    pub(crate) fn messages(&self) -> Vec<Value> {
        self.values("messages")
    }
}

pub(crate) fn word(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

impl World {
    /// Real time, short status delays, an open window for [`CUSTOMER`].
    pub(crate) async fn new() -> Self {
        let world = Self::at(Clock::system()).await;
        world.customer_writes("Hi").await;
        world.quiet().await;
        world
    }

    /// With a clock of the test's. Statuses come when it moves.
    pub(crate) async fn at(clock: Clock) -> Self {
        let mut config = SandboxConfig {
            seed: Some(1),
            ..SandboxConfig::default()
        };
        config.settings.statuses = StatusSettings {
            sent_ms: DelayRange(5, 10),
            delivered_ms: DelayRange(40, 50),
            read_ms: DelayRange(40, 50),
            ..StatusSettings::default()
        };
        config.settings.webhooks.retry_first_ms = 20;
        // One delivery at a time, so that arrivals have the order of the events.
        config.settings.webhooks.max_in_flight = 1;
        let sandbox = Sandbox::start(config, clock).await.expect("it starts");
        let (address, inbox, server) = callback().await;
        let spec = SetupSpec {
            app_secret: SECRET.to_owned().into(),
            access_token: TOKEN.to_owned().into(),
            verify_token: Some(VERIFY.to_owned().into()),
            callback_url: Some(format!("http://{address}/webhooks/whatsapp")),
            ..SetupSpec::default()
        };
        let ids = sandbox.meta().set_up(spec).await.expect("it is set up");
        Self {
            sandbox,
            ids,
            client: client(),
            inbox,
            _server: server,
        }
    }

    pub(crate) fn graph(&self, path: &str) -> String {
        format!("{}/v25.0/{path}", self.sandbox.base_url())
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.graph(path)).bearer_auth(TOKEN)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(self.graph(path))
            .bearer_auth(TOKEN)
            .json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(self.graph(path)).bearer_auth(TOKEN)
    }

    pub(crate) fn control(&self, path: &str) -> String {
        format!("{}/{path}", self.sandbox.control_url())
    }

    /// Posts to the control API and expects it to be taken.
    pub(crate) async fn tell(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = fetch(self.client.post(self.control(path)).json(body)).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = fetch(self.client.patch(self.control(path)).json(body)).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub(crate) async fn customer_writes(&self, text: &str) -> Value {
        let path = format!("customers/{CUSTOMER}/messages");
        self.tell(&path, &json!({ "text": text })).await
    }

    pub(crate) fn send(&self, message: &Value) -> RequestBuilder {
        let mut body = json!({"messaging_product": "whatsapp", "to": CUSTOMER});
        let fields = message.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(fields);
        self.post(&format!("{}/messages", self.ids.phone_number_id), &body)
    }

    pub(crate) fn send_text(&self, text: &str) -> RequestBuilder {
        self.send(&json!({"type": "text", "text": {"body": text},
            "biz_opaque_callback_data": text}))
    }

    /// Sends and returns the wamid.
    pub(crate) async fn sent(&self, text: &str) -> String {
        let (status, answer) = fetch(self.send_text(text)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        word(&answer["messages"][0]["id"])
    }

    /// Status and error code of a call.
    pub(crate) async fn refusal(&self, request: RequestBuilder) -> (u16, u64) {
        let (status, answer) = fetch(request).await;
        let code = answer["error"]["code"].as_u64();
        (status.as_u16(), code.unwrap_or_else(|| panic!("{answer}")))
    }

    pub(crate) fn script(&self, fault: Fault) {
        self.sandbox.meta().script(fault);
    }

    /// Waits until every webhook has been delivered or given up.
    pub(crate) async fn quiet(&self) {
        testkit::eventually(SOON, async || self.sandbox.meta().pending_webhooks() == 0).await;
    }
}

pub(crate) async fn fetch(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    (status, response.json().await.expect("a JSON answer"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test is the client under its own control"
)]
pub(crate) fn client() -> Client {
    Client::builder().timeout(SOON).build().expect("a client")
}

/// An app's webhook endpoint: handshake, and a record of what it gets.
pub(crate) async fn callback() -> (SocketAddr, Inbox, JoinSet<()>) {
    async fn handshake(Query(query): Query<Vec<(String, String)>>) -> Response {
        let field = |name: &str| {
            let found = query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        if field("hub.mode") == "subscribe" && field("hub.verify_token") == VERIFY {
            field("hub.challenge").into_response()
        } else {
            StatusCode::FORBIDDEN.into_response()
        }
    }

    async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let refusals = &inbox.0.refusals_left;
        let refused = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if refused.is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        inbox
            .0
            .posts
            .lock()
            .expect("not poisoned")
            .push((headers, body));
        StatusCode::OK
    }

    let inbox = Inbox::default();
    let router = Router::new()
        .route("/webhooks/whatsapp", get(handshake).post(receive))
        .with_state(inbox.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut server = JoinSet::new();
    server.spawn(async move {
        axum::serve(listener, router).await.expect("it serves");
    });
    (address, inbox, server)
}
