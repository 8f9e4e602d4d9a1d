//! What the API answers to good and bad requests.

use serde_json::{Value, json};

use crate::{
    webhooks::{text, webhook},
    world::{World, eventually},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_sends_once_and_another_body_is_refused() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let first = world.send_text(&conversation, "one-key", "once").await;
    let again = world.send_text(&conversation, "one-key", "once").await;
    assert_eq!(first, again);
    let path = format!("/v1/conversations/{conversation}/messages");
    let other = json!({ "content": { "text": { "body": "something else" } } });
    let refused = world
        .owner
        .post(&path, "one-key", &other)
        .await
        .expect_err("another body");
    assert!(
        refused.to_string().contains("idempotency.key_reused"),
        "{refused}"
    );
    world.is_sent(&first).await;
    assert_eq!(world.times_sent("once"), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_named_and_nothing_is_stored() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let path = format!("/v1/conversations/{conversation}/messages");
    let long = "x".repeat(5_000);
    for (body, field) in [
        (
            json!({ "content": { "text": { "body": long } } }),
            "content.text.body",
        ),
        (
            json!({ "content": { "template": { "name": "Bad Name", "language": "en_US" } } }),
            "content.template.name",
        ),
        (
            json!({ "content": { "system": { "body": "hi" } } }),
            "content.kind",
        ),
    ] {
        let refused = world
            .owner
            .post(&path, field, &body)
            .await
            .expect_err("refused");
        assert!(refused.to_string().starts_with("422"), "{refused}");
        assert!(refused.to_string().contains(field), "{refused}");
    }
    let outbound = world
        .count("select count(*) from messaging.messages where direction = 2")
        .await;
    assert_eq!(outbound, 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_paged_without_a_gap_or_a_double() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let body = webhook(
        &world.number,
        &(0..60)
            .map(|n| text(&format!("wamid.page.{n}"), &format!("page {n}")))
            .collect::<Vec<_>>(),
    );
    assert_eq!(world.deliver(&body).await, 200);
    eventually(async || (world.messages(&conversation).await.len() == 61).then_some(())).await;
    let mut seen = std::collections::HashSet::new();
    let mut token = String::new();
    loop {
        let path =
            format!("/v1/conversations/{conversation}/messages?pageSize=7&pageToken={token}");
        let page: Value = world.owner.get(&path).await.expect("a page");
        for message in page["messages"].as_array().expect("messages") {
            assert!(
                seen.insert(message["id"].as_str().expect("an id").to_owned()),
                "twice"
            );
        }
        token = page["nextPageToken"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 61);
    world.stop().await;
}
