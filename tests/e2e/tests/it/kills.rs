//! SIGKILL at each place where a crash could lose or double something. The sandbox's ledger and the
//! rows are the oracle: nothing lost, nothing doubled, nothing unexplained.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use sandbox::{Sandbox, SandboxConfig, SandboxHandle};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use switchboard::{
    api::{Api, http},
    whatsapp::Control,
};
use testkit::{TestBroker, TestDb};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::world::{
    CUSTOMER, backing, connect_number, database, eventually, key_file, sign_up, times_sent,
};

/// What outlives the victim.
struct Scene {
    broker: TestBroker,
    sandbox: SandboxHandle,
    edge: SocketAddr,
    key: PathBuf,
    db: TestDb,
}

struct Victim {
    child: Child,
    gateway: String,
}

impl Scene {
    async fn new() -> Self {
        chassis::install_crypto();
        let (db, broker) = (database().await, TestBroker::new().await);
        let sandbox = Sandbox::start(SandboxConfig::default(), clock::Clock::system())
            .await
            .expect("a sandbox");
        let free = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        Self {
            edge: free.local_addr().expect("an address"),
            key: key_file(&db),
            broker,
            sandbox,
            db,
        }
    }

    /// Starts the platform, with a place to die at or without.
    async fn start(&self, failpoints: &str) -> Victim {
        let backing = backing(&self.db, &self.broker);
        let mut child = Command::new(env!("CARGO_BIN_EXE_victim"))
            .args([
                "--database-admin-url",
                backing.database_admin_url.expose_secret(),
            ])
            .args(["--amqp-url", backing.amqp_url.expose_secret()])
            .args(["--graph-url", self.sandbox.base_url()])
            .args(["--edge-listen", &self.edge.to_string()])
            .arg("--key-file")
            .arg(&self.key)
            .env("FAILPOINTS", failpoints)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("start the victim");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = tokio::time::timeout(Duration::from_mins(1), lines.next_line())
            .await
            .expect("the victim starts in time")
            .expect("its output")
            .expect("the victim lives until it has started");
        let addresses: Value = serde_json::from_str(&line).expect("JSON");
        Victim {
            child,
            gateway: addresses["gateway"]
                .as_str()
                .expect("an address")
                .to_owned(),
        }
    }

    /// Twenty minutes pass for what nobody can tell about: a lost answer without a status.
    async fn time_passes(&self) {
        let mut admin = self.db.admin().await;
        for statement in [
            "update messaging.attempts set started_at = started_at - interval '20 minutes' where state = 'unknown'",
            "update messaging.jobs set due_at = due_at - interval '20 minutes' where state = 'waiting'",
        ] {
            sqlx::query(statement)
                .execute(&mut admin)
                .await
                .expect("time passes");
        }
    }

    async fn count(&self, query: &'static str) -> i64 {
        let mut admin = self.db.admin().await;
        sqlx::query_scalar(query)
            .fetch_one(&mut admin)
            .await
            .expect("a count")
    }
}

impl Victim {
    /// Waits until it has killed itself.
    async fn dies(mut self) {
        // Waiting would close its input, which asks it to stop in good order.
        let _input = self.child.stdin.take();
        let status = tokio::time::timeout(Duration::from_mins(1), self.child.wait())
            .await
            .expect("the failpoint is reached")
            .expect("a status");
        assert!(!status.success(), "it was killed");
    }

    async fn stop(mut self) {
        drop(self.child.stdin.take());
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait())
            .await
            .expect("it stops");
        assert!(status.expect("a status").success());
    }
}

/// A whole life around one crash: five customers write, five answers are sent, the platform dies at
/// `place` meanwhile and comes back.
async fn survives(place: &str) {
    let scene = Scene::new().await;
    let control = Control::new(scene.sandbox.control_url()).expect("a control");
    let client = http().expect("a client");

    let first = scene.start("").await;
    let owner = sign_up(&client, &first.gateway, "owner@kills.example").await;
    let number = control
        .set_up(&format!("http://{}/webhooks/whatsapp/sandbox", scene.edge))
        .await
        .expect("a number");
    connect_number(&owner, "connect", &number)
        .await
        .expect("connected");
    control
        .customer_writes(CUSTOMER, &number, "the first")
        .await
        .expect("written");
    eventually(async || (scene.count(INBOUND).await == 1).then_some(())).await;
    let conversation = conversation(&owner).await;
    first.stop().await;

    let victim = scene.start(&format!("{place}=1*return")).await;
    let owner = log_in(&victim.gateway).await;
    for n in 0..5 {
        control
            .customer_writes(CUSTOMER, &number, &format!("question {n}"))
            .await
            .expect("written");
        // The victim may be dead by now; then the agent sees an error and sends again, with the
        // same key.
        let _lost = send(&owner, &conversation, n).await;
    }
    victim.dies().await;

    let last = scene.start("").await;
    let owner = log_in(&last.gateway).await;
    for n in 0..5 {
        send(&owner, &conversation, n)
            .await
            .expect("sent, or answered as before");
    }
    eventually(async || (scene.count(INBOUND).await == 6).then_some(())).await;
    eventually(async || {
        scene.time_passes().await;
        scene.count(UNFINISHED).await == 0
    })
    .await;
    check(&scene).await;
    last.stop().await;
    scene.sandbox.shutdown().await;
}

const INBOUND: &str = "select count(*) from messaging.messages where direction = 1";
const OUTBOUND: &str = "select count(*) from messaging.messages where direction = 2";
const UNFINISHED: &str = "select count(*) from messaging.send_queue";

async fn check(scene: &Scene) {
    assert_eq!(
        scene.count(INBOUND).await,
        6,
        "every inbound message has exactly one row"
    );
    assert_eq!(
        scene.count(OUTBOUND).await,
        5,
        "every accepted request has exactly one message"
    );
    for n in 0..5 {
        let text = format!("answer {n}");
        assert!(
            times_sent(&scene.sandbox, &text) <= 1,
            "{text} was sent twice"
        );
    }
    let unexplained = "select count(*) from messaging.messages where direction = 2 and status < 15";
    eventually(async || (scene.count(unexplained).await == 0).then_some(())).await;
    eventually(async || {
        let query = "select count(*) from messaging.outbox where published_at is null";
        (scene.count(query).await == 0).then_some(())
    })
    .await;
    let dead = "select count(*) from messaging.deferred_deliveries where state = 'dead'";
    assert_eq!(scene.count(dead).await, 0, "no dead letters");
}

async fn conversation(owner: &Api) -> String {
    let list = owner.get("/v1/conversations").await.expect("the list");
    list["conversations"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn log_in(gateway: &str) -> Api {
    eventually(async || {
        Api::log_in(gateway, "owner@kills.example", "a long enough password")
            .await
            .ok()
    })
    .await
}

async fn send(owner: &Api, conversation: &str, n: usize) -> anyhow::Result<Value> {
    let body = json!({ "content": { "text": { "body": format!("answer {n}") } } });
    owner
        .post(
            &format!("/v1/conversations/{conversation}/messages"),
            &format!("answer-{n}"),
            &body,
        )
        .await
}

/// K12: the webhook is durable, the sender does not know.
#[tokio::test(flavor = "multi_thread")]
async fn the_edge_killed_after_its_commit_and_before_its_answer() {
    survives("edge.committed").await;
}

/// W-11: nothing was promised yet.
#[tokio::test(flavor = "multi_thread")]
async fn the_edge_killed_before_its_commit() {
    survives("edge.before-commit").await;
}

/// K6: the inbox is written, nothing is committed.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_in_the_middle_of_a_batch() {
    survives("messaging.inbox-claimed").await;
}

/// K8: the attempts are written, no byte has left.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_between_the_attempt_and_the_call() {
    survives("messaging.attempts-written").await;
}

/// K10: WhatsApp answered, the answer is not written.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_with_answers_in_hand() {
    survives("messaging.answers-read").await;
}

/// K11: the results are written.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_right_after_writing_results() {
    survives("messaging.results-written").await;
}
