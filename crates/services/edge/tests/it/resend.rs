//! What Resend tells us, as Svix delivers it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use db::{SystemTx, outbox};
use edge::Secret;
use prost::Message;
use proto::edge::events::v1::ResendReceived;
use reqwest::Response;
use secrecy::SecretString;
use testkit::eventually;

use crate::stage::{Running, SOON, Stage, secret, secret_until};

const PATH: &str = "/webhooks/resend";
const OURS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BOUNCE: &[u8] = br#"{"type":"email.bounced","data":{"to":["ada@example.com"]}}"#;

/// A stage whose clock is moved by hand, with these secrets.
async fn stage(secrets: Vec<Secret>) -> (Stage, Hand) {
    let (clock, hand) = Clock::manual(Clock::system().now());
    let mut stage = Stage::new().await;
    stage.clock = clock;
    stage.config.resend.secrets = secrets;
    (stage, hand)
}

fn signature(secret: &str, id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
    let secret = SecretString::from(secret);
    sandbox::resend::sign(&secret, id, at, body).expect("a secret")
}

/// A delivery with these headers.
async fn post(running: &Running, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = headers.iter().fold(
        running.post(PATH, body.to_vec()),
        |request, (name, value)| request.header(*name, *value),
    );
    request.send().await.expect("an answer")
}

/// A delivery signed at that time, and the answer's status.
async fn deliver(running: &Running, id: &str, at: DateTime<Utc>, body: &[u8]) -> u16 {
    let (time, signed) = (at.timestamp().to_string(), signature(OURS, id, at, body));
    let headers = [
        ("svix-id", id),
        ("svix-timestamp", &time),
        ("svix-signature", &signed),
    ];
    post(running, &headers, body).await.status().as_u16()
}

async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: serde_json::Value = answer.json().await.expect("JSON");
    (status, problem["code"].as_str().unwrap_or_default().into())
}

#[tokio::test]
async fn a_delivery_is_stored_as_an_event_with_its_body_byte_for_byte() {
    let (stage, _hand) = stage(vec![secret(OURS)]).await;
    let running = stage.run().await;
    let now = stage.clock.now();
    assert_eq!(deliver(&running, "msg_1", now, BOUNCE).await, 200);
    // Not even JSON: intake does not care, and Resend would repeat it for a day.
    assert_eq!(deliver(&running, "msg_2", now, &[0xff, 0]).await, 200);

    let db = stage.database.db("edge").await;
    let mut tx = SystemTx::begin(&db, "test").await.expect("begin");
    let events = outbox::unpublished(&mut tx, 10).await.expect("events");
    assert_eq!(events.len(), 2);
    let event = &events[0];
    assert_eq!(
        (event.event_type.as_str(), event.routing_key.as_str()),
        (
            "switchboard.edge.events.v1.ResendReceived",
            "edge.resend.received.v1"
        )
    );
    assert_eq!(event.organization_id, None);
    let message = ResendReceived::decode(&*event.payload).expect("an event");
    assert_eq!(
        (message.webhook_id, message.delivery_id, message.body),
        (event.key.clone(), "msg_1".to_owned(), BOUNCE.to_vec())
    );
    assert_eq!(message.received_at, Some(now.into()));
    running.stop().await;
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_answered_with_200_and_is_no_second_event() {
    let (stage, hand) = stage(vec![secret(OURS)]).await;
    let running = stage.run().await;
    for _ in 0..3 {
        let now = stage.clock.now();
        let (one, other) = tokio::join!(
            deliver(&running, "msg_1", now, BOUNCE),
            deliver(&running, "msg_1", now, BOUNCE),
        );
        assert_eq!((one, other), (200, 200));
        // Svix signs each attempt anew.
        hand.advance(Duration::from_hours(5));
    }
    assert_eq!(stage.stored().await, (1, 1));
    // The same words under another id are another event.
    let now = stage.clock.now();
    assert_eq!(deliver(&running, "msg_2", now, BOUNCE).await, 200);
    assert_eq!(stage.stored().await, (2, 2));
    running.stop().await;
}

#[tokio::test]
async fn a_signature_that_is_missing_wrong_or_repeated_is_refused_and_nothing_is_stored() {
    let (stage, _hand) = stage(vec![secret(OURS)]).await;
    let running = stage.run().await;
    let now = stage.clock.now();
    let (time, later) = [0, 1]
        .map(|more| (now.timestamp() + more).to_string())
        .into();
    let right = signature(OURS, "msg_1", now, BOUNCE);
    let other = signature(OLD, "msg_1", now, BOUNCE);
    let headers = |id, time, signature| {
        vec![
            ("svix-id", id),
            ("svix-timestamp", time),
            ("svix-signature", signature),
        ]
    };
    let whole = headers("msg_1", time.as_str(), right.as_str());
    let mut refused = vec![
        headers("msg_2", &time, &right),
        headers("msg_1", &later, &right),
        headers("msg_1", &time, &other),
        headers("msg_1", &time, &right[3..]),
        headers("msg_1", "soon", &right),
        headers("msg.1", &time, &right),
        headers("msg_1", &time, ""),
    ];
    for (position, header) in whole.iter().enumerate() {
        let mut without = whole.clone();
        without.remove(position);
        refused.push(without);
        let mut twice = whole.clone();
        twice.push(*header);
        refused.push(twice);
    }
    for headers in &refused {
        let answer = post(&running, headers, BOUNCE).await;
        let expected = (401, "webhook.signature_invalid".to_owned());
        assert_eq!(code(answer).await, expected, "{headers:?}");
    }
    let mut body = BOUNCE.to_vec();
    body[0] ^= 1;
    assert_eq!(post(&running, &whole, &body).await.status(), 401);
    assert_eq!(stage.stored().await, (0, 0));
    assert_eq!(post(&running, &whole, BOUNCE).await.status(), 200);
    running.stop().await;
}

#[tokio::test]
async fn a_delivery_older_or_newer_than_five_minutes_is_refused() {
    let (stage, _hand) = stage(vec![secret(OURS)]).await;
    let running = stage.run().await;
    for (seconds, expected) in [(-301, 401), (-299, 200), (299, 200), (301, 401)] {
        let at = stage.clock.now() + chrono::TimeDelta::seconds(seconds);
        let id = format!("msg_{}", seconds + 1_000);
        assert_eq!(
            deliver(&running, &id, at, BOUNCE).await,
            expected,
            "{seconds}"
        );
    }
    assert_eq!(stage.stored().await, (2, 2));
    running.stop().await;
}

#[tokio::test]
async fn while_the_secret_is_changed_both_count_and_an_expired_one_does_not() {
    let end = Clock::system().now() + chrono::TimeDelta::minutes(10);
    let (stage, hand) = stage(vec![secret(OURS), secret_until(OLD, end)]).await;
    let running = stage.run().await;
    let by = async |keys: &[&str], id: &str| {
        let now = stage.clock.now();
        let time = now.timestamp().to_string();
        let all: Vec<_> = keys
            .iter()
            .map(|key| signature(key, id, now, BOUNCE))
            .collect();
        let signed = all.join(" ");
        let headers = [
            ("svix-id", id),
            ("svix-timestamp", &time),
            ("svix-signature", &signed),
        ];
        post(&running, &headers, BOUNCE).await.status().as_u16()
    };
    assert_eq!(by(&[OURS], "msg_1").await, 200);
    assert_eq!(by(&[OLD], "msg_2").await, 200);
    assert_eq!(by(&[OLD, OURS], "msg_3").await, 200);
    hand.advance(Duration::from_mins(11));
    assert_eq!(by(&[OLD], "msg_4").await, 401);
    assert_eq!(by(&[OLD, OURS], "msg_5").await, 200);
    running.stop().await;
}

#[tokio::test]
async fn compressed_and_large_bodies_are_refused_before_they_are_verified() {
    let (stage, _hand) = stage(vec![secret(OURS)]).await;
    let running = stage.run().await;
    let now = stage.clock.now();
    let packed = post(
        &running,
        &[("content-encoding", "gzip"), ("svix-id", "msg_1")],
        BOUNCE,
    );
    let expected = (415, "webhook.encoding_unsupported".to_owned());
    assert_eq!(code(packed.await).await, expected);
    let largest = vec![b'x'; 256 * 1024];
    assert_eq!(deliver(&running, "msg_2", now, &largest).await, 200);
    let larger = vec![b'x'; 256 * 1024 + 1];
    assert_eq!(deliver(&running, "msg_3", now, &larger).await, 413);
    assert_eq!(stage.stored().await, (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn without_a_secret_there_is_no_such_address() {
    let (stage, _hand) = stage(Vec::new()).await;
    let running = stage.run().await;
    let answer = post(&running, &[("svix-id", "msg_1")], BOUNCE).await;
    assert_eq!(code(answer).await, (404, "webhook.app_unknown".to_owned()));
    assert_eq!(stage.stored().await, (0, 0));
    running.stop().await;
}

#[tokio::test]
async fn receipts_go_after_14_days() {
    let (stage, hand) = stage(vec![secret(OURS)]).await;
    let running = stage.run().await;
    let first = stage.clock.now();
    assert_eq!(deliver(&running, "msg_1", first, BOUNCE).await, 200);
    // In steps that wake the sweep.
    eventually(SOON, async || {
        hand.advance(Duration::from_hours(24));
        stage.stored().await.0 == 0
    })
    .await;
    assert!(stage.clock.now() - first > chrono::TimeDelta::days(14));
    running.stop().await;
}
