use std::{collections::HashSet, time::Duration};

use clock::Clock;
use db::{SystemTx, outbox};
use ids::WebhookId;
use prost::Message;
use proto::edge::events::v1::WhatsAppReceived;
use sqlx::Connection;
use testkit::eventually;

use crate::stage::{HOOK, SECRET, SOON, Stage, bodies, sign};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn the_event_carries_the_body_byte_for_byte_and_points_at_its_receipt() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    // Not JSON, not even text: intake does not care.
    let body = [b"{\"a\":\"\\ud83d\0".as_slice(), &[0xff, 0xfe, 0]].concat();
    let before = Clock::system().now();
    assert_eq!(running.deliver(&body).await, 200);

    let mut admin = stage.database.admin().await;
    let (app, size, event_id): (String, i32, sqlx::types::Uuid) =
        sqlx::query_as("select app, size_bytes, event_id from edge.webhooks")
            .fetch_one(&mut admin)
            .await
            .expect("a receipt");
    admin.close().await.expect("goodbye");
    let db = stage.database.db("edge").await;
    let mut tx = SystemTx::begin(&db, "test").await.expect("begin");
    let events = outbox::unpublished(&mut tx, 10).await.expect("events");
    let [event] = &events[..] else {
        panic!("one event, not {}", events.len());
    };
    assert_eq!(event.event_id.as_uuid(), event_id);
    assert_eq!(
        event.event_type,
        "switchboard.edge.events.v1.WhatsAppReceived"
    );
    assert_eq!(event.routing_key, "edge.whatsapp.received.v1");
    assert_eq!(event.organization_id, None);
    let message = WhatsAppReceived::decode(&*event.payload).expect("an event");
    assert_eq!(message.webhook_id, event.key);
    assert!(message.webhook_id.parse::<WebhookId>().is_ok());
    assert_eq!((message.app.as_str(), app.as_str()), ("default", "default"));
    assert_eq!((message.body.as_slice(), size), (body.as_slice(), 16));
    let received_at: chrono::DateTime<chrono::Utc> = message
        .received_at
        .and_then(|at| at.try_into().ok())
        .expect("a time");
    assert!(before <= received_at && received_at <= Clock::system().now());
    running.stop().await;
}

/// W-08.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_sent_a_thousand_times_at_once_is_stored_once_and_always_answered_with_200() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let same = vec![bodies(1).remove(0); 1_000];
    let statuses = running.deliver_all(&same, 50).await;
    assert_eq!(statuses, vec![200; 1_000]);
    assert_eq!(stage.stored().await, (1, 1));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn different_bodies_sent_twice_at_once_are_each_stored_once() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let mut all = bodies(300);
    let mut again = all.clone();
    again.reverse();
    all.append(&mut again);
    assert_eq!(running.deliver_all(&all, 64).await, vec![200; 600]);
    assert_eq!(stage.stored().await, (300, 300));
    running.stop().await;
}

/// W-18.
#[tokio::test]
async fn a_body_repeated_six_days_later_is_answered_with_200_and_is_no_second_event() {
    let (clock, hand) = Clock::manual(Clock::system().now());
    let mut stage = Stage::new().await;
    stage.clock = clock;
    let running = stage.run().await;
    assert_eq!(running.deliver(b"{}").await, 200);
    for _ in 0..6 {
        hand.advance(DAY);
        assert_eq!(running.deliver(b"{}").await, 200);
    }
    assert_eq!(stage.stored().await, (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn receipts_and_published_events_go_after_14_days_and_unpublished_events_stay() {
    let (clock, hand) = Clock::manual(Clock::system().now());
    let mut stage = Stage::new().await;
    stage.clock = clock;
    let running = stage.run().await;
    let [first, second] = [b"1", b"2"];
    assert_eq!(running.deliver(first).await, 200);
    assert_eq!(running.deliver(second).await, 200);
    let mut admin = stage.database.admin().await;
    sqlx::query("update edge.outbox set published_at = occurred_at where seq = (select min(seq) from edge.outbox)")
        .execute(&mut admin)
        .await
        .expect("published");
    admin.close().await.expect("goodbye");
    hand.advance(13 * DAY);
    assert_eq!(running.deliver(b"3").await, 200);
    assert_eq!(stage.stored().await, (3, 3));
    // More than a day, in steps that wake the sweep.
    eventually(SOON, || async {
        hand.advance(DAY);
        stage.stored().await == (1, 2)
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn stopping_answers_the_requests_under_way_and_keeps_what_they_brought() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let mut blockade = stage.block_storing().await;
    let request = running
        .post(HOOK, "{}")
        .header("x-hub-signature-256", sign(SECRET, b"{}"));
    let answer = request.send();
    let stop = async {
        blockade.holds(1).await;
        let soft = running.host.deps("edge").shutdown.soft;
        let release = async {
            // The stop is under way; it must wait for the request.
            soft.cancelled().await;
            blockade.release().await;
        };
        tokio::join!(running.stop(), release);
    };
    let (answer, ()) = tokio::join!(answer, stop);
    assert_eq!(answer.expect("an answer").status(), 200);
    assert_eq!(stage.stored().await, (1, 1));
}

#[tokio::test]
async fn every_webhook_has_an_id_of_its_own_that_sorts_by_time() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    assert_eq!(running.deliver_all(&bodies(20), 1).await, vec![200; 20]);
    let mut admin = stage.database.admin().await;
    let ids: Vec<String> = sqlx::query_scalar("select key from edge.outbox order by seq")
        .fetch_all(&mut admin)
        .await
        .expect("events");
    admin.close().await.expect("goodbye");
    assert!(ids.is_sorted());
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 20);
    running.stop().await;
}
