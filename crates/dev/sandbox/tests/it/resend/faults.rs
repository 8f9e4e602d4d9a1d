use std::time::Duration;

use sandbox::resend::{EmailEvent, Fault, FaultKind, Filter};
use serde_json::json;

use super::world::World;
use crate::harness::fetch;

#[tokio::test]
async fn what_was_taken_before_its_answer_got_lost_is_found_by_its_key() {
    let world = World::new().await;
    for kind in [
        FaultKind::TimeoutAfterAccept,
        FaultKind::ResetAfterAccept,
        FaultKind::ResetMidResponse,
        FaultKind::SlowResponse,
    ] {
        world.script(Fault {
            delay_ms: Some(60_000),
            ..Fault::new(kind)
        });
        let key = format!("{kind:?}");
        let request = world.send_as(&key).timeout(Duration::from_millis(300));
        request.send().await.expect_err("no answer");
        let filter = Filter {
            idempotency_key: Some(key.clone()),
            ..Filter::default()
        };
        let taken = world.sandbox.resend().ledger().mailbox(&filter);
        assert_eq!(taken.len(), 1, "{key}");
        testkit::eventually(Duration::from_secs(5), async || {
            fetch(world.send_as(&key)).await.1["id"] == *taken[0].id
        })
        .await;
        assert_eq!(world.sandbox.resend().ledger().mailbox(&filter).len(), 1);
    }
    for (kind, status) in [
        (FaultKind::ServerErrorAfterAccept, 500),
        (FaultKind::GarbageBody, 200),
        (FaultKind::EmptyBody, 200),
    ] {
        world.script(Fault::new(kind));
        let key = format!("{kind:?}");
        let spoilt = world.send_as(&key).send().await.expect("an answer");
        assert_eq!(spoilt.status(), status);
        let before = world.mailbox().len();
        world.sent(world.send_as(&key)).await;
        assert_eq!(world.mailbox().len(), before, "{key}");
    }
}

#[tokio::test]
async fn failures_before_accept_leave_nothing_behind() {
    let world = World::new().await;
    for (kind, status, name) in [
        (FaultKind::ServerErrorBeforeAccept, 500, "application_error"),
        (FaultKind::RateLimit, 429, "rate_limit_exceeded"),
        (FaultKind::DailyQuota, 429, "daily_quota_exceeded"),
        (FaultKind::MonthlyQuota, 429, "monthly_quota_exceeded"),
    ] {
        world.script(Fault::new(kind));
        let refusal = world.refusal(world.send_as("k")).await;
        assert_eq!(refusal, (status, name.to_owned()));
    }
    world.script(Fault {
        name: Some("security_error".into()),
        ..Fault::new(FaultKind::ApiError)
    });
    let refusal = world.refusal(world.send_as("k")).await;
    assert_eq!(refusal, (451, "security_error".into()));
    for kind in [FaultKind::ResetBeforeAccept, FaultKind::TimeoutBeforeAccept] {
        world.script(Fault {
            delay_ms: Some(10),
            ..Fault::new(kind)
        });
        world.send_as("k").send().await.expect_err("no answer");
    }
    world.script(Fault::new(FaultKind::Html502));
    let page = world.send_as("k").send().await.expect("an answer");
    assert_eq!(page.status(), 502);
    assert!(world.mailbox().is_empty());
    let ledger = world.sandbox.resend().ledger();
    let rejections = ledger.rejections(&Filter::default());
    assert_eq!(rejections.len(), 8);
    assert!(rejections.iter().all(|rejection| rejection.fault.is_some()));
    world.sent(world.send_as("k")).await;
}

#[tokio::test]
async fn a_fault_strikes_whom_it_is_aimed_at() {
    let world = World::new().await;
    let fault =
        json!({"kind": "rate_limit", "to": "eve@example.com", "key_prefix": "invite/", "skip": 1});
    let url = world.control("faults");
    let (status, rule) = fetch(world.client.post(&url).json(&fault)).await;
    assert_eq!(status, 201);
    let eve = || world.send(&json!({"to": "Eve <eve@example.com>"}));
    world.sent(world.send_as("invite/0")).await;
    world.sent(eve().header("idempotency-key", "reset/1")).await;
    world
        .sent(eve().header("idempotency-key", "invite/1"))
        .await;
    let refused = eve().header("idempotency-key", "invite/2");
    assert_eq!(world.refusal(refused).await.0, 429);
    world
        .sent(eve().header("idempotency-key", "invite/2"))
        .await;
    let rules = world.sandbox.resend().faults();
    assert_eq!((rules[0].struck, rules[0].left), (1, Some(0)));
    let one = format!("{url}/{}", rule["id"]);
    assert_eq!(fetch(world.client.delete(&one)).await.1["removed"], 1);
    assert_eq!(fetch(world.client.delete(&one)).await.0, 404);
    let earthquake = json!({"kind": "earthquake"});
    assert_eq!(
        fetch(world.client.post(&url).json(&earthquake)).await.0,
        400
    );
}

#[tokio::test]
async fn a_fault_isnt_used_up_by_a_call_that_is_refused_anyway() {
    let world = World::new().await;
    world.script(Fault::new(FaultKind::GarbageBody));
    let refused = world.refusal(world.send(&json!({"subject": ""}))).await;
    assert_eq!(refused.0, 422);
    let spoilt = world.send(&json!({})).send().await.expect("an answer");
    assert!(spoilt.json::<serde_json::Value>().await.is_err());
}

#[tokio::test]
async fn events_can_be_duplicated_reordered_dropped_and_failed() {
    let world = World::new().await;
    let (sent, delivered) = ("email.sent", "email.delivered");
    for (fault, expected) in [
        (
            Fault::new(FaultKind::ReorderedEvents),
            vec![delivered, sent],
        ),
        (
            Fault::new(FaultKind::DuplicateEvents),
            vec![sent, sent, delivered, delivered],
        ),
        (Fault::new(FaultKind::DroppedEvents), vec![]),
        (
            Fault {
                events: Some(vec![EmailEvent::Sent]),
                ..Fault::new(FaultKind::DroppedEvents)
            },
            vec![delivered],
        ),
        (Fault::new(FaultKind::Failed), vec!["email.failed"]),
        (
            Fault::new(FaultKind::Complained),
            vec![sent, delivered, "email.complained"],
        ),
    ] {
        let before = world.inbox.words().len();
        world.script(fault);
        world.sent(world.send(&json!({}))).await;
        world.quiet().await;
        assert_eq!(world.inbox.words()[before..], expected);
    }
    let ids: Vec<_> = world
        .inbox
        .posts()
        .iter()
        .map(|(headers, _)| headers["svix-id"].clone())
        .collect();
    assert_eq!(ids[2], ids[3], "a duplicate has the id of its original");
}
