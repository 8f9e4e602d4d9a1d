use std::time::Duration;

use sandbox::meta::{Call, Fault, FaultKind, Filter, Send, Status};
use serde_json::json;

use crate::harness::{World, fetch};

fn accepted(world: &World, opaque: &str) -> Option<Send> {
    let filter = Filter {
        opaque: Some(opaque.into()),
        ..Filter::default()
    };
    let mut sends = world.sandbox.ledger().sends(&filter);
    assert!(sends.len() <= 1);
    sends.pop()
}

#[tokio::test]
async fn a_timeout_after_accept_appears_in_the_ledger_and_its_statuses_come() {
    let world = World::new().await;
    world.script(Fault::new(FaultKind::TimeoutAfterAccept));
    let request = world.send_text("lost").timeout(Duration::from_millis(300));
    let error = request.send().await.expect_err("no answer");
    assert!(error.is_timeout());
    let send = accepted(&world, "lost").expect("it was accepted");
    assert_eq!(send.answer, "timeout_after_accept");
    assert_eq!(send.json().expect("its body")["text"]["body"], "lost");
    world.quiet().await;
    let statuses = world.inbox.statuses();
    assert_eq!(statuses.len(), 3);
    assert_eq!(statuses[0]["biz_opaque_callback_data"], "lost");
    world.sent("next").await;
}

#[tokio::test]
async fn failures_before_accept_leave_nothing_behind() {
    let world = World::new().await;
    for (kind, expected) in [
        (FaultKind::ServerErrorBeforeAccept, (500, 131_000)),
        (FaultKind::ThroughputLimit, (400, 130_429)),
        (FaultKind::PairRateLimit, (400, 131_056)),
        (FaultKind::Http429, (429, 4)),
        (FaultKind::TokenExpired, (401, 190)),
    ] {
        world.script(Fault::new(kind));
        assert_eq!(world.refusal(world.send_text("no")).await, expected);
    }
    world.script(Fault {
        code: Some(368),
        ..Fault::new(FaultKind::GraphError)
    });
    assert_eq!(world.refusal(world.send_text("no")).await, (403, 368));

    for kind in [FaultKind::ResetBeforeAccept, FaultKind::TimeoutBeforeAccept] {
        world.script(Fault {
            delay_ms: Some(10),
            ..Fault::new(kind)
        });
        let error = world.send_text("no").send().await.expect_err("no answer");
        assert!(error.is_request(), "{error:?}");
    }
    world.script(Fault::new(FaultKind::Html502));
    let response = world.send_text("no").send().await.expect("an answer");
    assert_eq!(response.status(), 502);
    assert!(response.text().await.expect("a body").contains("<html>"));

    assert!(accepted(&world, "no").is_none());
    let rejections = world.sandbox.ledger().rejections(&Filter {
        opaque: Some("no".into()),
        ..Filter::default()
    });
    assert_eq!(rejections.len(), 9);
    assert!(rejections.iter().all(|rejection| rejection.fault.is_some()));
    world.quiet().await;
    assert!(world.inbox.statuses().is_empty());
}

#[tokio::test]
async fn an_answer_can_be_spoilt_in_every_way_after_accept() {
    let world = World::new().await;
    for kind in [FaultKind::ResetAfterAccept, FaultKind::ResetMidResponse] {
        world.script(Fault::new(kind));
        let name = format!("{kind:?}");
        world.send_text(&name).send().await.expect_err("no answer");
        assert!(accepted(&world, &name).is_some());
    }
    for (kind, status) in [
        (FaultKind::ServerErrorAfterAccept, 500),
        (FaultKind::GarbageBody, 200),
        (FaultKind::EmptyBody, 200),
        (FaultKind::Html502AfterAccept, 502),
    ] {
        world.script(Fault::new(kind));
        let name = format!("{kind:?}");
        let response = world.send_text(&name).send().await.expect("an answer");
        assert_eq!(response.status(), status);
        let body = response.json::<serde_json::Value>().await;
        assert_eq!(body.is_ok(), kind == FaultKind::ServerErrorAfterAccept);
        assert!(accepted(&world, &name).is_some());
    }
}

#[tokio::test]
async fn statuses_can_be_duplicated_reordered_dropped_and_failed() {
    let world = World::new().await;
    for (fault, expected) in [
        (
            Fault::new(FaultKind::ReorderedStatuses),
            vec!["read", "delivered", "sent"],
        ),
        (
            Fault {
                statuses: Some(vec![Status::Delivered]),
                ..Fault::new(FaultKind::DroppedStatuses)
            },
            vec!["sent", "read"],
        ),
        (Fault::new(FaultKind::DroppedStatuses), vec![]),
        (
            Fault::new(FaultKind::DuplicateStatuses),
            vec!["sent", "sent", "delivered", "delivered", "read", "read"],
        ),
        (
            Fault {
                code: Some(131_049),
                ..Fault::new(FaultKind::FailedStatus)
            },
            vec!["sent", "failed"],
        ),
    ] {
        let before = world.inbox.statuses().len();
        world.script(fault);
        world.sent("x").await;
        world.quiet().await;
        assert_eq!(world.inbox.status_words()[before..], expected);
    }
    let statuses = world.inbox.statuses();
    let failed = statuses.last().expect("a status");
    assert_eq!(failed["errors"][0]["code"], 131_049);
}

#[tokio::test]
async fn statuses_can_overtake_the_answer() {
    let world = World::new().await;
    world.script(Fault::new(FaultKind::StatusesBeforeResponse));
    world.sent("slow").await;
    assert!(!world.inbox.statuses().is_empty());
}

#[tokio::test]
async fn a_fault_strikes_whom_it_is_aimed_at_as_often_as_it_says() {
    let world = World::new().await;
    let body = json!({"kind": "pair_rate_limit", "to": "+1 650 555 9999", "times": 2, "skip": 1});
    world.tell("faults", &body).await;
    let other = json!({"to": "16505559999", "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    world.sent("not aimed at").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(fetch(world.send(&other)).await.0.as_u16());
    }
    assert_eq!(seen, [200, 400, 400, 200]);
    let rules = world.sandbox.meta().faults();
    assert_eq!((rules[0].struck, rules[0].left), (2, Some(0)));
}

#[tokio::test]
async fn a_fault_isnt_used_up_by_a_call_that_is_refused_anyway() {
    let world = World::new().await;
    world.script(Fault::new(FaultKind::GarbageBody));
    let empty = json!({"type": "text", "text": {}});
    assert_eq!(world.refusal(world.send(&empty)).await, (400, 131_008));
    let response = world.send_text("x").send().await.expect("an answer");
    assert!(response.json::<serde_json::Value>().await.is_err());
}

#[tokio::test]
async fn other_calls_can_fail_too() {
    let world = World::new().await;
    world.script(Fault {
        call: Call::Management,
        code: Some(80_007),
        ..Fault::new(FaultKind::GraphError)
    });
    let number = world.ids.phone_number_id.clone();
    world.sent("messages are not concerned").await;
    assert_eq!(world.refusal(world.get(&number)).await, (400, 80_007));
    assert!(fetch(world.get(&number)).await.0.is_success());
}
