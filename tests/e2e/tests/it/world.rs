//! A platform of a test's own, and what its people do.

use std::time::Duration;

use chassis::Telemetry;
use clock::Clock;
use sandbox::SandboxHandle;
use secrecy::SecretString;
use serde_json::{Value, json};
use switchboard::{
    api::{Api, http},
    backing::Backing,
    platform::{APP_SECRET, Options, Platform},
    whatsapp::{self, Control, Number},
};
use testkit::{TestBroker, TestDb};

use crate::{folder::Folder, ledger, rows};

/// A customer's number.
pub(crate) const CUSTOMER: &str = "4915112345678";

/// Of everybody.
pub(crate) const PASSWORD: &str = "a long enough password";

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Repeats `attempt` until it answers.
pub(crate) async fn eventually<A: testkit::Attempt>(attempt: impl AsyncFnMut() -> A) -> A::Output {
    testkit::eventually(PATIENCE, attempt).await
}

/// Everything, running.
pub(crate) struct World {
    pub(crate) platform: Platform,
    pub(crate) control: Control,
    pub(crate) owner: Api,
    pub(crate) number: Number,
    pub(crate) channel_id: String,
    pub(crate) http: reqwest::Client,
    // Dropped last: the platform's connections must be gone before its database is.
    _broker: TestBroker,
    pub(crate) db: TestDb,
    _folder: Folder,
}

/// A database with every schema.
pub(crate) async fn database() -> TestDb {
    TestDb::new(
        "e2e",
        &[
            ("identity", &identity::MIGRATOR),
            ("edge", &edge::MIGRATOR),
            ("messaging", &messaging::MIGRATOR),
        ],
    )
    .await
}

/// Where a test's platform keeps its data.
pub(crate) fn backing(db: &TestDb, broker: &TestBroker) -> Backing {
    let config = db.config("messaging");
    Backing {
        database_admin_url: config.migrate_url.expect("the administrator's URL"),
        amqp_url: SecretString::from(broker.url()),
    }
}

impl World {
    /// Starts everything, signs an organization up and connects the sandbox's number to it.
    pub(crate) async fn start() -> Self {
        let (db, broker, folder) = (database().await, TestBroker::new().await, Folder::new());
        let platform = Platform::start(Options {
            backing: backing(&db, &broker),
            key_path: folder.path("vault.key"),
            well_known_ports: false,
            clock: Clock::system(),
            telemetry: Telemetry::local(),
            graph_url: None,
        })
        .await
        .expect("start the platform");
        let owner = sign_up(&platform.gateway, "owner@first.example").await;
        let control = Control::new(platform.sandbox.as_ref().expect("a sandbox").control_url())
            .expect("a control");
        let (number, channel_id) = whatsapp::connect(&platform, &control, &owner)
            .await
            .expect("connect the number");
        Self {
            platform,
            control,
            owner,
            number,
            channel_id,
            http: http().expect("an HTTP client"),
            _broker: broker,
            db,
            _folder: folder,
        }
    }

    /// Stops everything in order.
    pub(crate) async fn stop(self) {
        let outcome = self.platform.shutdown().await;
        assert!(outcome.is_success(), "{outcome:?}");
        drop(self.db);
    }

    /// The sandbox that plays WhatsApp.
    pub(crate) fn sandbox(&self) -> &SandboxHandle {
        self.platform.sandbox.as_ref().expect("a sandbox")
    }

    /// Something goes wrong at WhatsApp with the next calls or messages, this many `times`; 0 is for ever.
    pub(crate) async fn fault(&self, kind: &str, times: u32) {
        let fault = json!({ "kind": kind, "times": times });
        self.control
            .post("faults", &fault)
            .await
            .expect("the fault is scripted");
    }

    /// Another organization's owner.
    pub(crate) async fn stranger(&self) -> Api {
        sign_up(&self.platform.gateway, "owner@second.example").await
    }

    /// Posts a signed body to the edge; returns the status.
    pub(crate) async fn deliver(&self, body: &[u8]) -> u16 {
        let signature = sandbox::meta::sign(&SecretString::from(APP_SECRET), body);
        let answer = self
            .http
            .post(self.platform.callback_url())
            .header("x-hub-signature-256", signature)
            .header("content-type", "application/json")
            .body(body.to_vec())
            .send()
            .await
            .expect("the edge answers");
        answer.status().as_u16()
    }

    /// Waits until messaging has taken in all that the edge had accepted by now.
    pub(crate) async fn taken_in(&self) {
        let waiting = "select count(*) from edge.outbox
                       where event_type = 'switchboard.edge.events.v1.WhatsAppReceived'
                         and not exists (select from messaging.inbox where inbox.event_id = outbox.event_id)";
        eventually(async || self.count(waiting).await == 0).await;
    }

    /// The conversation with a customer who has just written.
    pub(crate) async fn conversation(&self, text: &str) -> String {
        self.conversation_with(CUSTOMER, text).await
    }

    /// The conversation with this customer, who has just written.
    pub(crate) async fn conversation_with(&self, customer: &str, text: &str) -> String {
        self.control
            .customer_writes(customer, &self.number, text)
            .await
            .expect("the customer writes");
        eventually(async || self.find_conversation(text).await).await
    }

    async fn find_conversation(&self, preview: &str) -> Option<String> {
        let list = self.owner.get("/v1/conversations").await.expect("the list");
        let found = list["conversations"]
            .as_array()?
            .iter()
            .find(|found| found["preview"] == preview)?;
        found["id"].as_str().map(str::to_owned)
    }

    /// Sends a text; returns the message's id.
    pub(crate) async fn send_text(&self, conversation: &str, key: &str, text: &str) -> String {
        let body = json!({ "content": { "text": { "body": text } } });
        self.send(conversation, key, &body).await
    }

    /// Sends what the body of the request says; returns the message's id.
    pub(crate) async fn send(&self, conversation: &str, key: &str, body: &Value) -> String {
        let path = format!("/v1/conversations/{conversation}/messages");
        let sent = self.owner.post(&path, key, body).await;
        let sent = sent.unwrap_or_else(|error| panic!("{key}: {error:#}"));
        sent["id"].as_str().expect("an id").to_owned()
    }

    /// A message as it is now.
    pub(crate) async fn message(&self, id: &str) -> Value {
        self.owner
            .get(&format!("/v1/messages/{id}"))
            .await
            .expect("the message")
    }

    /// Waits until the message has one of these statuses.
    pub(crate) async fn reaches(&self, id: &str, wanted: &[&str]) -> Value {
        eventually(async || {
            let message = self.message(id).await;
            let status = message["status"].as_str().unwrap_or_default().to_owned();
            wanted
                .iter()
                .any(|wanted| status == format!("MESSAGE_STATUS_{wanted}"))
                .then_some(message)
        })
        .await
    }

    /// All messages of a conversation.
    pub(crate) async fn messages(&self, conversation: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut token = String::new();
        loop {
            let path =
                format!("/v1/conversations/{conversation}/messages?pageSize=100&pageToken={token}");
            let page = self.owner.get(&path).await.expect("a page");
            all.extend(page["messages"].as_array().cloned().unwrap_or_default());
            page["nextPageToken"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut token);
            if token.is_empty() {
                return all;
            }
        }
    }

    /// Waits until WhatsApp has reported that the message is on its way, or more.
    pub(crate) async fn is_sent(&self, id: &str) -> Value {
        self.reaches(id, &["SENT", "DELIVERED", "READ"]).await
    }

    /// How often WhatsApp took the message with this text.
    pub(crate) fn times_sent(&self, text: &str) -> usize {
        let taken = ledger::taken(self.sandbox()).into_iter();
        taken.filter(|taken| taken.text == text).count()
    }

    /// A number query as the database's administrator.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        rows::count(&self.db, query).await
    }
}

/// Signs an organization up and returns its owner.
pub(crate) async fn sign_up(gateway: &str, email: &str) -> Api {
    let signed_up = Api::sign_up(gateway, "Test", email, PASSWORD).await;
    signed_up.expect("an organization").0
}
