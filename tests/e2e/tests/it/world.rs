//! A platform of a test's own, and what its people do.

use std::{path::PathBuf, time::Duration};

use chassis::Telemetry;
use clock::Clock;
use hmac::{Hmac, KeyInit, Mac};
use sandbox::meta::Filter;
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard::{
    api::{Api, http},
    backing::Backing,
    platform::{ACCESS_TOKEN, APP_SECRET, Options, Platform},
    whatsapp::{self, Control, Number},
};
use testkit::{TestBroker, TestDb};

/// A customer's number.
pub(crate) const CUSTOMER: &str = "4915112345678";

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

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

/// A key file that nobody else uses.
pub(crate) fn key_file(db: &TestDb) -> PathBuf {
    let name = db.url("key").rsplit('/').next().unwrap_or("key").to_owned();
    std::env::temp_dir().join(format!("switchboard-{name}.key"))
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
        let (db, broker) = (database().await, TestBroker::new().await);
        let platform = Platform::start(Options {
            backing: backing(&db, &broker),
            key_path: key_file(&db),
            well_known_ports: false,
            edge_listen: None,
            clock: Clock::system(),
            telemetry: Telemetry::local(),
            graph_url: None,
        })
        .await
        .expect("start the platform");
        let http = http().expect("an HTTP client");
        let owner = sign_up(&http, &platform.gateway, "owner@first.example").await;
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
            http,
            _broker: broker,
            db,
        }
    }

    /// Stops everything in order.
    pub(crate) async fn stop(self) {
        let outcome = self.platform.shutdown().await;
        assert!(outcome.is_success(), "{outcome:?}");
        drop(self.db);
    }

    /// Another organization's owner.
    pub(crate) async fn stranger(&self) -> Api {
        sign_up(&self.http, &self.platform.gateway, "owner@second.example").await
    }

    /// Posts a signed body to the edge; returns the status.
    pub(crate) async fn deliver(&self, body: &[u8]) -> u16 {
        let answer = self
            .http
            .post(self.platform.callback_url())
            .header("x-hub-signature-256", sign(body))
            .header("content-type", "application/json")
            .body(body.to_vec())
            .send()
            .await
            .expect("the edge answers");
        answer.status().as_u16()
    }

    /// The conversation with a customer who has just written.
    pub(crate) async fn conversation(&self, text: &str) -> String {
        self.control
            .customer_writes(CUSTOMER, &self.number, text)
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
        let path = format!("/v1/conversations/{conversation}/messages");
        let sent = self
            .owner
            .post(&path, key, &body)
            .await
            .expect("the message is taken");
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

    /// How often WhatsApp took the message with this text.
    pub(crate) fn times_sent(&self, text: &str) -> usize {
        let sandbox = self.platform.sandbox.as_ref().expect("a sandbox");
        times_sent(sandbox, text)
    }

    /// A number query as the database's administrator.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        let mut admin = self.db.admin().await;
        sqlx::query_scalar(query)
            .fetch_one(&mut admin)
            .await
            .expect("a count")
    }
}

/// How often a sandbox took a text.
pub(crate) fn times_sent(sandbox: &sandbox::SandboxHandle, text: &str) -> usize {
    let sends = sandbox.ledger().sends(&Filter::default());
    let texts = sends
        .iter()
        .filter_map(|send| send.json()?.pointer("/text/body").cloned());
    texts.filter(|body| body == text).count()
}

/// Signs an organization up and returns its owner.
pub(crate) async fn sign_up(http: &reqwest::Client, gateway: &str, email: &str) -> Api {
    let body = json!({
        "organizationName": "Test", "name": "Owner", "email": email, "password": "a long enough password",
    });
    let answer = http
        .post(format!("{gateway}/v1/organizations"))
        .json(&body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        answer.status(),
        200,
        "{}",
        answer.text().await.unwrap_or_default()
    );
    let body: Value = answer.json().await.expect("JSON");
    let token = body["tokens"]["accessToken"].as_str().expect("a token");
    Api::new(http.clone(), gateway, token)
}

/// Connects a number with the sandbox's token.
pub(crate) async fn connect_number(api: &Api, key: &str, number: &Number) -> anyhow::Result<Value> {
    let body = json!({
        "name": "Sandbox", "phoneNumberId": number.phone_number_id, "wabaId": number.waba_id,
        "accessToken": ACCESS_TOKEN,
    });
    api.post("/v1/channels", key, &body).await
}

/// `X-Hub-Signature-256` of a body.
pub(crate) fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("any key");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A webhook with these messages of one customer.
pub(crate) fn webhook(number: &Number, messages: &[Value]) -> Vec<u8> {
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": number.waba_id, "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": number.phone_number_id },
            "contacts": [{ "profile": { "name": "Ada" }, "wa_id": CUSTOMER }],
            "messages": messages,
        }}]}],
    });
    body.to_string().into_bytes()
}

/// A text message for [`webhook`].
pub(crate) fn text(wamid: &str, body: &str) -> Value {
    json!({
        "from": CUSTOMER, "id": wamid, "timestamp": Clock::system().now().timestamp().to_string(),
        "type": "text", "text": { "body": body },
    })
}

/// A webhook with these statuses.
pub(crate) fn statuses(number: &Number, statuses: &[Value]) -> Vec<u8> {
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": number.waba_id, "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": number.phone_number_id },
            "statuses": statuses,
        }}]}],
    });
    body.to_string().into_bytes()
}
