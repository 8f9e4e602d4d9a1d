use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use lapin::{
    Connection as Amqp, ConnectionProperties, ExchangeKind,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection;
use testkit::{ChaosProxy, Mode, TestBroker, eventually};

use crate::stage::{HOOK, SECRET, SOON, Stage, bodies, broker, sign};

const QUEUE: &str = "test.on-whatsapp-received";

/// The stage's database behind a network that can fail.
async fn behind_proxy(stage: &mut Stage) -> ChaosProxy {
    let db = &mut stage.config.db;
    let proxy = ChaosProxy::start(db.url.expose_secret()).await;
    for url in [&mut db.url, &mut db.system_url] {
        *url = SecretString::from(proxy.route(url.expose_secret()));
    }
    db.acquire_timeout_ms = 1_000;
    proxy
}

/// W-12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgres_every_delivery_is_answered_with_503_and_the_repeat_is_stored() {
    let mut stage = Stage::new().await;
    let proxy = behind_proxy(&mut stage).await;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"before").await, 200);

    proxy.set(Mode::Refuse);
    proxy.cut();
    let all = bodies(100);
    assert_eq!(running.deliver_all(&all, 20).await, vec![503; 100]);
    assert_eq!(stage.stored().await, (1, 1));
    eventually(SOON, || async { running.readyz().await.0 == 503 }).await;

    proxy.set(Mode::Pass);
    eventually(SOON, || async { running.readyz().await.0 == 200 }).await;
    assert_eq!(running.deliver_all(&all, 20).await, vec![200; 100]);
    assert_eq!(stage.stored().await, (101, 101));
    running.stop().await;
}

/// W-12, when nobody tells that the server is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_is_503_within_the_senders_patience_and_never_200() {
    let mut stage = Stage::new().await;
    stage.config.intake.answer_timeout_ms = 1_000;
    let proxy = behind_proxy(&mut stage).await;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"before").await, 200);
    proxy.set(Mode::BlackHole);
    let all = bodies(10);
    let started = Instant::now();
    assert_eq!(running.deliver_all(&all, 10).await, vec![503; 10]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    proxy.set(Mode::Pass);
    let again = || async {
        running
            .deliver_all(&all, 10)
            .await
            .iter()
            .all(|status| *status == 200)
    };
    eventually(SOON, again).await;
    assert_eq!(stage.stored().await, (11, 11));
    running.stop().await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_missing_is_503_and_its_repeat_is_recognised() {
    let mut stage = Stage::new().await;
    stage.config.db.acquire_timeout_ms = 500;
    let running = stage.run().await;
    let mut admin = stage.database.admin().await;
    // The commit itself takes longer than we wait for it.
    sqlx::raw_sql(
        "create function edge.linger() returns trigger language plpgsql as
             $$ begin perform pg_sleep(1.5); return null; end $$;
         grant execute on function edge.linger() to edge_system;
         create constraint trigger linger after insert on edge.webhooks
             deferrable initially deferred for each row execute function edge.linger();",
    )
    .execute(&mut admin)
    .await
    .expect("a slow commit");
    assert_eq!(running.deliver(b"{}").await, 503);
    eventually(SOON, || async { stage.stored().await == (1, 1) }).await;
    assert_eq!(running.deliver(b"{}").await, 200);
    assert_eq!(stage.stored().await, (1, 1));
    admin.close().await.expect("goodbye");
    running.stop().await;
}

/// W-13.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_rabbitmq_intake_goes_on_and_everything_is_published_later() {
    let mut stage = Stage::new().await;
    let rabbitmq = TestBroker::new().await;
    let proxy = ChaosProxy::start(&rabbitmq.url()).await;
    proxy.set(Mode::Refuse);
    stage.config.bus = broker(&proxy.route(&rabbitmq.url()));
    let started = Instant::now();
    let running = stage.run().await;
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "the start waits for nobody"
    );

    let all = bodies(300);
    let mut took: Vec<Duration> = stream::iter(&all)
        .map(|body| async {
            let started = Instant::now();
            assert_eq!(running.deliver(body).await, 200);
            started.elapsed()
        })
        .buffer_unordered(10)
        .collect()
        .await;
    took.sort();
    assert!(took[296] < Duration::from_secs(1), "p99 {:?}", took[296]);
    let (status, report) = running.readyz().await;
    assert_eq!(status, 200, "{report}");
    assert!(
        report.contains("rabbitmq") && report.contains("not connected"),
        "{report}"
    );
    assert_eq!(stage.stored().await, (300, 300));

    let channel = subscribe(&rabbitmq).await;
    proxy.set(Mode::Pass);
    assert_eq!(take(&channel, 300).await.len(), 300);
    running.stop().await;
}

#[tokio::test]
async fn what_is_stored_while_the_service_stops_is_published_before_it_ends() {
    let mut stage = Stage::new().await;
    let rabbitmq = TestBroker::new().await;
    stage.config.bus = broker(&rabbitmq.url());
    let channel = subscribe(&rabbitmq).await;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"before").await, 200);
    assert_eq!(take(&channel, 1).await.len(), 1);

    let mut blockade = stage.block_storing().await;
    let body = b"while stopping";
    let request = running
        .post(HOOK, body.as_slice())
        .header("x-hub-signature-256", sign(SECRET, body));
    let stop = async {
        blockade.holds(1).await;
        let soft = running.host.deps("edge").shutdown.soft;
        let release = async {
            soft.cancelled().await;
            blockade.release().await;
        };
        tokio::join!(running.stop(), release);
    };
    let (answer, ()) = tokio::join!(request.send(), stop);
    assert_eq!(answer.expect("an answer").status(), 200);
    let mut admin = stage.database.admin().await;
    let left: i64 =
        sqlx::query_scalar("select count(*) from edge.outbox where published_at is null")
            .fetch_one(&mut admin)
            .await
            .expect("a count");
    admin.close().await.expect("goodbye");
    assert_eq!(left, 0);
    assert_eq!(take(&channel, 1).await.len(), 1);
}

/// A channel with a queue that gets the edge's events.
async fn subscribe(rabbitmq: &TestBroker) -> lapin::Channel {
    let connection = Amqp::connect(&rabbitmq.url(), ConnectionProperties::default())
        .await
        .expect("connect");
    let channel = connection.create_channel().await.expect("a channel");
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let table = FieldTable::default;
    channel
        .exchange_declare("edge.events".into(), ExchangeKind::Topic, durable, table())
        .await
        .expect("the exchange");
    channel
        .queue_declare(QUEUE.into(), QueueDeclareOptions::default(), table())
        .await
        .expect("a queue");
    channel
        .queue_bind(
            QUEUE.into(),
            "edge.events".into(),
            "edge.whatsapp.received.v1".into(),
            QueueBindOptions::default(),
            table(),
        )
        .await
        .expect("a binding");
    channel
}

/// The ids of so many messages, without repetitions.
async fn take(channel: &lapin::Channel, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let next = eventually(SOON, || async {
            channel
                .basic_get(QUEUE.into(), BasicGetOptions { no_ack: true })
                .await
                .expect("get")
        });
        let id = next
            .await
            .delivery
            .properties
            .message_id()
            .clone()
            .expect("a message id");
        ids.push(id.to_string());
    }
    ids.sort();
    ids.dedup();
    ids
}
