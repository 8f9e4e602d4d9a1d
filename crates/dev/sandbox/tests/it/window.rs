use std::time::Duration;

use chrono::DateTime;
use clock::Clock;
use serde_json::json;

use crate::harness::{CUSTOMER, World, fetch};

#[tokio::test]
async fn free_form_messages_pass_for_24_hours_after_the_customer_wrote() {
    let start = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
    let (clock, hand) = Clock::manual(start);
    let world = World::at(clock).await;
    assert_eq!(world.refusal(world.send_text("a")).await, (400, 131_047));

    world.customer_writes("Hello").await;
    world.sent("b").await;
    hand.advance(Duration::from_secs(24 * 3600 - 1));
    world.sent("c").await;
    hand.advance(Duration::from_secs(1));
    assert_eq!(world.refusal(world.send_text("d")).await, (400, 131_047));

    let template = json!({"type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let (status, answer) = fetch(world.send(&template)).await;
    assert!(status.is_success());
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
}

#[tokio::test]
async fn a_closed_window_can_be_told_by_webhook_instead() {
    let world = World::at(Clock::system()).await;
    let number = format!("phone_numbers/{}", world.ids.phone_number_id);
    world
        .patch(&number, &json!({"window_refusal": "webhook"}))
        .await;
    world.sent("a").await;
    world.quiet().await;
    let statuses = world.inbox.statuses();
    assert_eq!(statuses[0]["status"], "failed");
    assert_eq!(statuses[0]["errors"][0]["code"], 131_047);
    assert!(statuses[0].get("biz_opaque_callback_data").is_none());
}

#[tokio::test]
async fn a_number_without_enforcement_sends_at_any_time() {
    let world = World::at(Clock::system()).await;
    let number = format!("phone_numbers/{}", world.ids.phone_number_id);
    world
        .patch(&number, &json!({"enforce_window": false}))
        .await;
    world.sent("a").await;
}

#[tokio::test]
async fn only_who_wrote_within_24_hours_can_be_blocked_and_anybody_unblocked() {
    let start = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
    let (clock, hand) = Clock::manual(start);
    let world = World::at(clock).await;
    let number = world.ids.phone_number_id.clone();
    let body = json!({"messaging_product": "whatsapp", "block_users": [{"user": CUSTOMER}]});
    let path = format!("{number}/block_users");
    let blocked = || {
        world
            .sandbox
            .meta()
            .blocked_users(&number)
            .expect("a number")
    };
    assert_eq!(
        world.refusal(world.post(&path, &body)).await,
        (400, 131_047)
    );

    world.customer_writes("Hello").await;
    let (status, answer) = fetch(world.post(&path, &body)).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(
        answer["block_users"]["added_users"][0]["wa_id"],
        "16505551234"
    );
    assert_eq!(blocked(), ["16505551234"]);

    hand.advance(Duration::from_hours(48));
    let (status, answer) = fetch(world.delete(&path).json(&body)).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(answer["block_users"]["removed_users"][0]["input"], CUSTOMER);
    assert!(blocked().is_empty());
}
