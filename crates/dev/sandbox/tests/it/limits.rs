use std::time::Duration;

use chrono::DateTime;
use clock::{Clock, Hand};
use serde_json::json;

use crate::harness::{World, fetch};

async fn world() -> (World, Hand) {
    let start = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
    let (clock, hand) = Clock::manual(start);
    let world = World::at(clock).await;
    let number = format!("phone_numbers/{}", world.ids.phone_number_id);
    world
        .patch(&number, &json!({"enforce_window": false}))
        .await;
    (world, hand)
}

#[tokio::test]
async fn the_46th_message_at_once_to_the_same_person_hits_the_pair_rate() {
    let (world, hand) = world().await;
    for number in 0..45 {
        world.sent(&number.to_string()).await;
    }
    hand.advance(Duration::from_millis(5_999));
    assert_eq!(world.refusal(world.send_text("x")).await, (400, 131_056));
    let other = json!({"to": "+16505559999", "type": "text", "text": {"body": "x"}});
    assert!(fetch(world.send(&other)).await.0.is_success());
    hand.advance(Duration::from_millis(1));
    world.sent("y").await;
    assert_eq!(world.refusal(world.send_text("z")).await, (400, 131_056));
}

#[tokio::test]
async fn more_than_the_numbers_throughput_is_refused_with_130429() {
    let (world, hand) = world().await;
    let to = |last: u32| json!({"to": format!("+1650555{last:04}"), "type": "text", "text": {"body": "x"}});
    for last in 0..80 {
        assert!(fetch(world.send(&to(last))).await.0.is_success());
    }
    let (status, answer) = fetch(world.send(&to(81))).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["code"], 130_429);
    assert_eq!(answer["error"]["error_subcode"], 2_494_055);
    hand.advance(Duration::from_millis(13));
    assert!(fetch(world.send(&to(82))).await.0.is_success());

    let counters = world.sandbox.meta().counters();
    assert_eq!(counters.sends_accepted, 81);
    assert_eq!(counters.rejected_by_code[&130_429], 1);
}

#[tokio::test]
async fn both_limits_can_be_switched_off() {
    let (world, _hand) = world().await;
    let off = json!({"limits": {"pair": false, "throughput": false}});
    world.patch("settings", &off).await;
    for number in 0..120 {
        world.sent(&number.to_string()).await;
    }
}
