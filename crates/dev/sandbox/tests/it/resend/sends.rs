use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use sandbox::resend::{KeySpec, Permission};
use serde_json::{Value, json};

use super::world::{KEY, World, email};
use crate::harness::{client, fetch};

fn manual() -> (Clock, Hand) {
    let start: DateTime<Utc> = "2026-11-30T12:00:00Z".parse().expect("a time");
    Clock::manual(start)
}

#[tokio::test]
async fn an_email_is_taken_and_lies_in_the_mailbox_with_its_links() {
    let world = World::new().await;
    let html = "<a href=\"https://app.example/reset?t=1&amp;u=2\">Reset</a>";
    let request = world.send(&json!({"html": html, "reply_to": "help@switchboard.example"}));
    let id = world
        .sent(request.header("idempotency-key", "reset/1"))
        .await;
    let other = json!({"to": "eve@example.com", "subject": "Welcome"});
    world.sent(world.send(&other)).await;

    let url = world.control("mailbox?to=ada@example.com");
    let (_, page) = fetch(world.client.get(url)).await;
    let mails = page["data"].as_array().expect("a list");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["id"], id);
    assert_eq!(mails[0]["to"], json!(["Ada <ada@example.com>"]));
    assert_eq!(mails[0]["tags"], json!({"category": "reset"}));
    assert_eq!(mails[0]["idempotency_key"], "reset/1");
    let links = [
        "https://app.example/reset?t=1",
        "https://app.example/reset?t=1&u=2",
    ];
    assert_eq!(mails[0]["links"], json!(links));
    let url = world.control("mailbox?subject=Welc&limit=1");
    let (_, page) = fetch(world.client.get(url)).await;
    assert_eq!(page["data"][0]["to"], json!(["eve@example.com"]));
    assert_eq!(page["next_after"], page["data"][0]["seq"]);
}

#[tokio::test]
async fn only_calls_with_a_user_agent_and_a_valid_key_get_in() {
    let world = World::new().await;
    let url = format!("{}/emails", world.sandbox.resend_url());
    // The other harness's client has no name.
    let nameless = client()
        .post(&url)
        .bearer_auth(KEY)
        .json(&email(&json!({})));
    let answer = nameless.send().await.expect("an answer");
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.text().await.expect("a body"), "error code: 1010");
    let post = || world.client.post(&url).json(&email(&json!({})));
    let missing = world.refusal(post()).await;
    assert_eq!(missing, (401, "missing_api_key".into()));
    let wrong = world.refusal(post().bearer_auth("re_wrong")).await;
    assert_eq!(wrong, (403, "invalid_api_key".into()));
    assert!(world.mailbox().is_empty());
}

#[tokio::test]
async fn a_key_for_sending_may_not_read_and_another_team_sees_nothing() {
    let world = World::new().await;
    let id = world.sent(world.send(&json!({}))).await;
    let url = format!("{}/emails/{id}", world.sandbox.resend_url());
    let (status, mail) = fetch(world.client.get(&url).bearer_auth(KEY)).await;
    assert_eq!((status.as_u16(), &mail["object"]), (200, &json!("email")));
    assert_eq!(mail["subject"], "Reset your password");
    let key = KeySpec {
        team: "sandbox".into(),
        api_key: "re_sending".into(),
        permission: Permission::SendingAccess,
    };
    world.sandbox.resend().add_key(&key).expect("added");
    let restricted = world.client.get(&url).bearer_auth("re_sending");
    let refusal = world.refusal(restricted).await;
    assert_eq!(refusal, (401, "restricted_api_key".into()));
    let other = json!({"team": "other", "api_key": "re_other"});
    fetch(world.client.post(world.control("setup")).json(&other)).await;
    let foreign = world.client.get(&url).bearer_auth("re_other");
    assert_eq!(world.refusal(foreign).await, (404, "not_found".into()));
}

#[tokio::test]
async fn what_resend_refuses_is_refused_by_its_names() {
    let world = World::new().await;
    let many = vec!["a@example.com"; 51];
    let validation = "validation_error";
    for (fields, status, name) in [
        (json!({"from": null}), 422, "missing_required_field"),
        (json!({"from": "App"}), 422, "invalid_from_address"),
        (json!({"from": "app@elsewhere.example"}), 403, validation),
        (json!({"from": "onboarding@resend.dev"}), 403, validation),
        (json!({"to": []}), 422, "missing_required_field"),
        (json!({"to": ["ada"]}), 422, validation),
        (json!({"to": many}), 422, validation),
        (json!({"to": 7}), 422, validation),
        (json!({"reply_to": "ada"}), 422, validation),
        (json!({"subject": ""}), 422, "missing_required_field"),
        (json!({"subject": 7}), 422, validation),
        (json!({"text": null}), 422, "missing_required_field"),
        (
            json!({"tags": [{"name": "a b", "value": "x"}]}),
            422,
            validation,
        ),
        (json!({"tags": {"a": "b"}}), 422, validation),
        (json!({"scheduled_at": "in 1 min"}), 422, validation),
    ] {
        let refusal = world.refusal(world.send(&fields)).await;
        assert_eq!(refusal, (status, name.to_owned()), "{fields}");
    }
    let long = world.send_as(&"x".repeat(257));
    assert_eq!(
        world.refusal(long).await,
        (400, "invalid_idempotency_key".into())
    );
    let url = |path: &str| format!("{}/{path}", world.sandbox.resend_url());
    let broken = world.client.post(url("emails")).bearer_auth(KEY).body("{");
    assert_eq!(
        world.refusal(broken).await,
        (400, "validation_error".into())
    );
    let get = world.client.get(url("emails")).bearer_auth(KEY);
    assert_eq!(world.refusal(get).await, (405, "method_not_allowed".into()));
    let elsewhere = world.post("domains", &json!({}));
    assert_eq!(world.refusal(elsewhere).await, (404, "not_found".into()));
    assert!(world.mailbox().is_empty());
    let own = json!({"from": "onboarding@resend.dev", "to": "owner@switchboard.example"});
    world.sent(world.send(&own)).await;
}

#[tokio::test]
async fn a_key_is_remembered_for_a_day() {
    let (clock, hand) = manual();
    let world = World::at(clock).await;
    let first = world.sent(world.send_as("k")).await;
    hand.advance(Duration::from_hours(23));
    assert_eq!(world.sent(world.send_as("k")).await, first);
    let different = world
        .send(&json!({"subject": "Other"}))
        .header("idempotency-key", "k");
    let refusal = world.refusal(different).await;
    assert_eq!(refusal, (409, "invalid_idempotent_request".into()));
    assert_eq!(world.mailbox().len(), 1);
    assert_eq!(world.sandbox.resend().counters().calls_replayed, 1);
    hand.advance(Duration::from_hours(1));
    assert_ne!(world.sent(world.send_as("k")).await, first);
    world.sent(world.send_as("other")).await;
    assert_eq!(world.mailbox().len(), 3);
}

#[tokio::test]
async fn a_key_in_use_is_refused_until_its_first_call_is_answered() {
    let world = World::new().await;
    let slow = json!({"answer_ms": [300, 300]});
    fetch(world.client.patch(world.control("settings")).json(&slow)).await;
    let (first, second) = tokio::join!(world.send_as("k").send(), async {
        testkit::eventually(Duration::from_secs(5), async || world.mailbox().len() == 1).await;
        world.refusal(world.send_as("k")).await
    });
    assert!(first.expect("an answer").status().is_success());
    assert_eq!(second, (409, "concurrent_idempotent_requests".into()));
    world.sent(world.send_as("k")).await;
    assert_eq!(world.mailbox().len(), 1);
}

#[tokio::test]
async fn calls_beyond_the_teams_rate_are_refused_with_when_to_come_back() {
    let (clock, hand) = manual();
    let world = World::at(clock).await;
    let limits = json!({"limits": {"requests_per_second": 2}});
    fetch(world.client.patch(world.control("settings")).json(&limits)).await;
    let call = async || {
        let answer = world.send(&json!({})).send().await.expect("an answer");
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().expect("text").to_owned())
        };
        let remaining = header("ratelimit-remaining").expect("a header");
        assert_eq!(header("ratelimit-limit").as_deref(), Some("2"));
        (answer.status().as_u16(), remaining, header("retry-after"))
    };
    assert_eq!(call().await, (200, "1".into(), None));
    assert_eq!(call().await, (200, "0".into(), None));
    assert_eq!(call().await, (429, "0".into(), Some("1".into())));
    hand.advance(Duration::from_secs(1));
    assert_eq!(call().await.0, 200);
    let counters = world.sandbox.resend().counters();
    assert_eq!(counters.rejected_by_name["rate_limit_exceeded"], 1);
}

#[tokio::test]
async fn quotas_end_with_their_day_and_month() {
    let (clock, hand) = manual();
    let world = World::at(clock).await;
    let limits = json!({"limits": {"daily_quota": 2, "monthly_quota": 3}});
    fetch(world.client.patch(world.control("settings")).json(&limits)).await;
    let send = async || fetch(world.send(&json!({}))).await.1["name"].clone();
    let batch = async || {
        let body = Value::from(vec![email(&json!({})); 2]);
        fetch(world.post("emails/batch", &body)).await.1["name"].clone()
    };
    assert_eq!(send().await, Value::Null);
    assert_eq!(batch().await, "daily_quota_exceeded");
    assert_eq!(send().await, Value::Null);
    assert_eq!(send().await, "daily_quota_exceeded");
    hand.advance(Duration::from_hours(24));
    assert_eq!(batch().await, Value::Null, "another month too");
    hand.advance(Duration::from_hours(24));
    assert_eq!(batch().await, "monthly_quota_exceeded");
    assert_eq!(send().await, Value::Null);
    assert_eq!(send().await, "monthly_quota_exceeded");
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_in_part_as_asked() {
    let world = World::new().await;
    let good = email(&json!({}));
    let body = json!([good, email(&json!({"to": "nobody"})), good]);
    let strict = world.refusal(world.post("emails/batch", &body)).await;
    assert_eq!(strict, (422, "validation_error".into()));
    assert!(world.mailbox().is_empty());
    let permissive = world.post("emails/batch", &body);
    let (_, answer) = fetch(permissive.header("x-batch-validation", "permissive")).await;
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["errors"][0]["index"], 1);
    assert_eq!(world.mailbox().len(), 2);
    for size in [0, 101] {
        let body = Value::from(vec![good.clone(); size]);
        let refusal = world.refusal(world.post("emails/batch", &body)).await;
        assert_eq!(refusal, (422, "validation_error".into()), "{size}");
    }
}
