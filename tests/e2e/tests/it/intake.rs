//! Meta's webhooks, from the edge to stored rows.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    webhooks::{statuses, text, webhook},
    world::{CUSTOMER, World, eventually},
};

const MESSAGES: &str = "select count(*) from messaging.messages where direction = 1";

/// W-08
#[tokio::test(flavor = "multi_thread")]
async fn the_same_delivery_a_thousand_times_at_once_is_one_message() {
    let world = Arc::new(World::start().await);
    let body = Arc::new(webhook(&world.number, &[text("wamid.same", "only once")]));
    let senders = (0..50).map(|_| {
        let (world, body) = (Arc::clone(&world), Arc::clone(&body));
        async move {
            let mut statuses = Vec::new();
            for _ in 0..20 {
                statuses.push(world.deliver(&body).await);
            }
            statuses
        }
    });
    let answers: Vec<u16> = join_all(senders).await.into_iter().flatten().collect();
    assert_eq!(answers.len(), 1_000);
    assert!(answers.iter().all(|status| *status == 200), "all accepted");
    let marker = webhook(&world.number, &[text("wamid.marker", "marker")]);
    assert_eq!(world.deliver(&marker).await, 200);
    world.taken_in().await;
    assert_eq!(world.count(MESSAGES).await, 2, "the message and the marker");
    Arc::into_inner(world).expect("the last one").stop().await;
}

/// W-09
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_regrouped_on_retry_has_each_effect_once() {
    let world = World::start().await;
    let items: Vec<_> = (0..100)
        .map(|n| text(&format!("wamid.batch.{n}"), &format!("message {n}")))
        .collect();
    assert_eq!(world.deliver(&webhook(&world.number, &items)).await, 200);
    assert_eq!(
        world.deliver(&webhook(&world.number, &items[..60])).await,
        200
    );
    assert_eq!(
        world.deliver(&webhook(&world.number, &items[40..])).await,
        200
    );
    let last = text("wamid.batch.end", "the end");
    assert_eq!(world.deliver(&webhook(&world.number, &[last])).await, 200);
    eventually(async || world.count(MESSAGES).await == 101).await;
    let contacts = world.count("select count(*) from messaging.contacts").await;
    let conversations = world
        .count("select count(*) from messaging.conversations")
        .await;
    assert_eq!((contacts, conversations), (1, 1));
    world.stop().await;
}

/// W-17
#[tokio::test(flavor = "multi_thread")]
async fn statuses_in_any_order_end_in_the_furthest_one() {
    let world = World::start().await;
    // The sandbox itself is silent.
    world.fault("dropped_statuses", 0).await;
    let conversation = world.conversation("hello").await;
    for (name, order, end) in [
        ("late sent", ["read", "delivered", "sent"], "READ"),
        (
            "failed after delivery",
            ["delivered", "failed", "sent"],
            "DELIVERED",
        ),
        ("failed after sent", ["sent", "failed", "sent"], "FAILED"),
    ] {
        for together in [false, true] {
            let key = format!("{}-{together}", name.replace(' ', "-"));
            let id = world.send_text(&conversation, &key, name).await;
            let accepted = world.reaches(&id, &["ACCEPTED"]).await;
            let wamid = accepted["wamid"].as_str().expect("a wamid");
            let items: Vec<_> = order
                .iter()
                .enumerate()
                .map(|(at, word)| status(wamid, word, at))
                .collect();
            let size = if together { items.len() } else { 1 };
            for chunk in items.chunks(size) {
                let body = statuses(&world.number, chunk);
                assert_eq!(world.deliver(&body).await, 200);
                world.taken_in().await;
            }
            let end = format!("MESSAGE_STATUS_{end}");
            assert_eq!(world.message(&id).await["status"], end, "{key}");
        }
    }
    let kept = "select count(*) from messaging.message_statuses";
    assert_eq!(world.count(kept).await, 18, "every report is kept");
    world.stop().await;
}

fn status(wamid: &str, word: &str, at: usize) -> Value {
    let undeliverable = json!([{ "code": 131_026, "title": "Undeliverable" }]);
    json!({
        "id": wamid, "status": word, "timestamp": (1_760_000_000 + at).to_string(),
        "recipient_id": CUSTOMER, "errors": if word == "failed" { undeliverable } else { json!([]) },
    })
}

/// W-18
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_days_later_has_no_second_effect() {
    let world = World::start().await;
    let body = webhook(&world.number, &[text("wamid.old", "hello again")]);
    assert_eq!(world.deliver(&body).await, 200);
    eventually(async || world.count(MESSAGES).await == 1).await;
    // The edge has forgotten the body, as after its retention: only the item's own key is left.
    let mut admin = world.db.admin().await;
    sqlx::query("truncate edge.webhooks")
        .execute(&mut admin)
        .await
        .expect("forget");
    assert_eq!(world.deliver(&body).await, 200);
    let marker = webhook(&world.number, &[text("wamid.marker", "marker")]);
    assert_eq!(world.deliver(&marker).await, 200);
    world.taken_in().await;
    assert_eq!(world.count(MESSAGES).await, 2, "the message and the marker");
    world.stop().await;
}

/// W-19
#[tokio::test(flavor = "multi_thread")]
async fn odd_bodies_are_accepted_and_kept_and_harm_nothing() {
    let world = World::start().await;
    let number = &world.number;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let unknown_type = json!({
        "from": CUSTOMER, "id": "wamid.poll", "timestamp": "1760000000", "type": "poll", "poll": { "x": [1, null] },
    });
    let lone_surrogate = String::from_utf8(webhook(number, &[text("wamid.lone", "SURROGATE")]))
        .expect("text")
        .replace("SURROGATE", "a\\ud800b\\u0000c");
    for body in [
        b"not json at all".to_vec(),
        b"{\"object\":\"whatsapp_business_account\",\"entry\":null}".to_vec(),
        b"\xff\xfe".to_vec(),
        deep.into_bytes(),
        webhook(number, &[unknown_type]),
        lone_surrogate.into_bytes(),
        format!("{{\"object\":\"x\",\"object\":\"whatsapp_business_account\",\"entry\":[{{\"id\":\"{}\",\"changes\":[{{\"field\":\"never_heard_of\",\"value\":{{\"a\":1}}}}]}}]}}", number.waba_id).into_bytes(),
    ] {
        assert_eq!(world.deliver(&body).await, 200);
    }
    assert_eq!(
        world
            .deliver(&webhook(number, &[text("wamid.fine", "fine")]))
            .await,
        200
    );
    eventually(async || world.count(MESSAGES).await == 3).await;
    let kept = world
        .count("select count(*) from messaging.quarantined_items where reason = 'malformed'")
        .await;
    assert!(kept >= 3, "{kept} malformed bodies are kept");
    let notices = world
        .count("select count(*) from messaging.channel_notices where field like 'never_heard_of%'")
        .await;
    assert_eq!(notices, 1, "an unknown field is visible");
    let unsupported = world
        .count("select count(*) from messaging.messages where content ? 'unsupported'")
        .await;
    assert_eq!(unsupported, 1, "an unknown type is visible");
    let dead = world
        .count("select count(*) from messaging.deferred_deliveries")
        .await;
    assert_eq!(dead, 0, "nothing was given up");
    world.stop().await;
}

/// W-20
#[tokio::test(flavor = "multi_thread")]
async fn a_number_nobody_connected_is_quarantined_and_never_guessed() {
    let world = World::start().await;
    let mut foreign = world.number.clone();
    "99999999999".clone_into(&mut foreign.phone_number_id);
    assert_eq!(
        world
            .deliver(&webhook(
                &foreign,
                &[text("wamid.foreign", "for somebody else")]
            ))
            .await,
        200
    );
    world.taken_in().await;
    let mut admin = world.db.admin().await;
    let kept: Vec<(String, Option<String>)> =
        sqlx::query_as("select reason, phone_number_id from messaging.quarantined_items")
            .fetch_all(&mut admin)
            .await
            .expect("what was quarantined");
    let expected = ("unknown_number".to_owned(), Some(foreign.phone_number_id));
    assert_eq!(kept, [expected]);
    assert_eq!(world.count(MESSAGES).await, 0);
    world.stop().await;
}
