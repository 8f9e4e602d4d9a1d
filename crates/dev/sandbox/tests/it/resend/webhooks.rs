use chrono::DateTime;
use sandbox::resend::{EmailEvent, Filter, sign};
use serde_json::json;

use super::world::{SECRET, World};
use crate::harness::fetch;

#[tokio::test]
async fn events_come_signed_over_their_raw_bytes_and_say_what_happened() {
    let world = World::new().await;
    let id = world.sent(world.send(&json!({}))).await;
    world.quiet().await;
    assert_eq!(world.inbox.words(), ["email.sent", "email.delivered"]);
    for (headers, body) in world.inbox.posts() {
        let text = |name: &str| headers[name].to_str().expect("text").to_owned();
        let seconds = text("svix-timestamp").parse().expect("seconds");
        let at = DateTime::from_timestamp(seconds, 0).expect("a time");
        let expected = sign(&SECRET.into(), &text("svix-id"), at, &body);
        assert_eq!(Some(text("svix-signature")), expected);
        assert!(text("svix-id").starts_with("msg_"));
    }
    let event = &world.inbox.events()[1];
    assert_eq!(event["data"]["email_id"], id);
    assert_eq!(event["data"]["to"], json!(["ada@example.com"]));
    assert_eq!(event["data"]["tags"], json!({"category": "reset"}));
    let mail = world
        .sandbox
        .resend()
        .ledger()
        .find_mail(&id)
        .expect("a mail");
    assert_eq!(mail.last_event, "delivered");
    assert!(mail.events.iter().all(|event| event.acknowledged));
}

#[tokio::test]
async fn resends_test_addresses_bounce_complain_and_are_suppressed() {
    let world = World::new().await;
    let to = [
        "bounced+a@resend.dev",
        "complained@resend.dev",
        "suppressed@resend.dev",
    ];
    world.sent(world.send(&json!({ "to": to }))).await;
    world.quiet().await;
    let events = world.inbox.events();
    let about = |word: &str| {
        let found = events.iter().find(|event| event["type"] == word);
        found.unwrap_or_else(|| panic!("{word}")).clone()
    };
    assert_eq!(events.len(), 5);
    assert_eq!(about("email.sent")["data"]["to"], json!([to[0], to[1]]));
    assert_eq!(about("email.delivered")["data"]["to"], json!([to[1]]));
    let bounced = about("email.bounced");
    assert_eq!(bounced["data"]["to"], json!([to[0]]));
    assert_eq!(bounced["data"]["bounce"]["type"], "Permanent");
    assert_eq!(bounced["data"]["bounce"]["subType"], "General");
    assert_eq!(about("email.complained")["data"]["to"], json!([to[1]]));
    let suppressed = about("email.suppressed");
    assert_eq!(suppressed["data"]["to"], json!([to[2]]));
    assert_eq!(
        suppressed["data"]["suppressed"]["reason"],
        "previous_bounce"
    );
}

#[tokio::test]
async fn an_address_that_bounced_is_suppressed_from_then_on() {
    let world = World::new().await;
    let bounce = json!({"kind": "bounced", "to": "ada@example.com"});
    fetch(world.client.post(world.control("faults")).json(&bounce)).await;
    for _ in 0..2 {
        world.sent(world.send(&json!({}))).await;
        world.quiet().await;
    }
    let expected = ["email.sent", "email.bounced", "email.suppressed"];
    assert_eq!(world.inbox.words(), expected);
}

#[tokio::test]
async fn a_delivery_is_repeated_under_its_id_until_it_succeeds_or_is_given_up() {
    let world = World::new().await;
    let drop_others = json!({"kind": "dropped_events", "events": ["delivered"], "times": 0});
    fetch(
        world
            .client
            .post(world.control("faults"))
            .json(&drop_others),
    )
    .await;
    let attempts = |id: &str| {
        let filter = Filter {
            email_id: Some(id.to_owned()),
            ..Filter::default()
        };
        world.sandbox.resend().ledger().deliveries(&filter)
    };
    world.inbox.refuse(2);
    let id = world.sent(world.send(&json!({}))).await;
    world.quiet().await;
    let seen = attempts(&id);
    let statuses: Vec<_> = seen.iter().map(|attempt| attempt.http_status).collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(204)]);
    assert!(
        seen.iter()
            .all(|attempt| attempt.svix_id == seen[0].svix_id)
    );
    assert!(seen.iter().all(|attempt| attempt.event == EmailEvent::Sent));

    world.inbox.refuse(100);
    let id = world.sent(world.send(&json!({}))).await;
    world.quiet().await;
    let last: Vec<_> = attempts(&id).iter().map(|attempt| attempt.last).collect();
    assert_eq!(last, [false, false, false, true]);
    assert_eq!(world.sandbox.resend().counters().deliveries_given_up, 1);
}

#[tokio::test]
async fn an_endpoint_gets_what_it_asked_for_signed_with_all_its_secrets() {
    let world = World::new().await;
    let url = world.control("setup");
    let endpoint = |secrets: &[&str]| {
        let at = world.inbox_url();
        json!({"api_key": super::world::KEY, "webhooks": [{"url": at,
            "signing_secrets": secrets, "events": ["email.delivered"]}]})
    };
    let broken = fetch(world.client.post(&url).json(&endpoint(&["secret"]))).await;
    assert_eq!(broken.0, 400);
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let taken = fetch(world.client.post(&url).json(&endpoint(&[SECRET, other]))).await;
    assert_eq!(taken.0, 201);
    world.sent(world.send(&json!({}))).await;
    world.quiet().await;
    assert_eq!(world.inbox.words(), ["email.delivered"]);
    let (headers, _) = &world.inbox.posts()[0];
    let signatures = headers["svix-signature"].to_str().expect("text");
    assert_eq!(signatures.split(' ').count(), 2);
}

#[tokio::test]
async fn reset_forgets_everything_and_ends_what_is_under_way() {
    let world = World::new().await;
    let late = json!({"kind": "delayed_events", "delay_ms": 3_600_000});
    fetch(world.client.post(world.control("faults")).json(&late)).await;
    world.sent(world.send(&json!({}))).await;
    assert!(world.sandbox.resend().pending_webhooks() > 0);
    fetch(world.client.post(world.control("reset"))).await;
    world.quiet().await;
    assert!(world.mailbox().is_empty());
    let refusal = world.refusal(world.send(&json!({}))).await;
    assert_eq!(refusal, (403, "invalid_api_key".into()));
}
