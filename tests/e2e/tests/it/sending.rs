//! Sending when WhatsApp is slow, strict or unwilling.

use serde_json::json;
use switchboard::whatsapp;

use crate::{
    ledger,
    world::{World, eventually},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_passes_is_repeated_and_sent_once() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    for kind in ["throughput_limit", "pair_rate_limit"] {
        world.fault(kind, 1).await;
        let id = world.send_text(&conversation, kind, kind).await;
        world.is_sent(&id).await;
        assert_eq!(world.times_sent(kind), 1);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_conversation_keep_their_order() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let mut last = String::new();
    for n in 0..20 {
        last = world
            .send_text(&conversation, &format!("order-{n}"), &format!("number {n}"))
            .await;
    }
    world
        .reaches(&last, &["ACCEPTED", "SENT", "DELIVERED", "READ"])
        .await;
    let texts: Vec<String> = ledger::taken(world.sandbox())
        .into_iter()
        .map(|taken| taken.text)
        .collect();
    let expected: Vec<String> = (0..20).map(|n| format!("number {n}")).collect();
    assert_eq!(texts, expected);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_blocks_the_channel_and_connecting_again_sends_what_waits() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    world.fault("token_expired", 1).await;
    let id = world.send_text(&conversation, "blocked", "hold on").await;
    let path = format!("/v1/channels/{}", world.channel_id);
    eventually(async || {
        let channel = world.owner.get(&path).await.expect("the channel");
        (channel["state"] == "CHANNEL_STATE_BLOCKED").then_some(())
    })
    .await;
    assert_eq!(
        world.message(&id).await["status"],
        "MESSAGE_STATUS_QUEUED",
        "nothing is lost"
    );
    whatsapp::connect_channel(&world.owner, "again", &world.number)
        .await
        .expect("connect again");
    world.is_sent(&id).await;
    assert_eq!(world.times_sent("hold on"), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_window_only_a_template_goes_out() {
    let world = World::start().await;
    let open =
        json!({ "channelId": world.channel_id, "phone": "+4915187654321", "contactName": "Grace" });
    let conversation = world
        .owner
        .post("/v1/conversations", "open", &open)
        .await
        .expect("a conversation");
    let conversation = conversation["id"].as_str().expect("an id");
    let path = format!("/v1/conversations/{conversation}/messages");
    let text = json!({ "content": { "text": { "body": "hello" } } });
    let refused = world
        .owner
        .post(&path, "text", &text)
        .await
        .expect_err("the window is closed");
    assert!(
        refused.to_string().contains("messaging.window_closed"),
        "{refused}"
    );
    let template =
        json!({ "content": { "template": { "name": "hello_world", "language": "en_US" } } });
    let sent = world.send(conversation, "template", &template).await;
    world.is_sent(&sent).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_content_is_taken_by_whatsapp() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let inbound = world.messages(&conversation).await;
    let customers_message = inbound[0]["id"].as_str().expect("an id").to_owned();
    for (kind, content) in [
        (
            "media",
            json!({ "media": { "kind": "MEDIA_KIND_IMAGE", "link": "https://files.example/a.jpg", "caption": "look" } }),
        ),
        (
            "document",
            json!({ "media": { "kind": "MEDIA_KIND_DOCUMENT", "link": "https://files.example/a.pdf", "filename": "a.pdf" } }),
        ),
        (
            "location",
            json!({ "location": { "latitude": 52.5, "longitude": 13.4, "name": "Here" } }),
        ),
        (
            "contacts",
            json!({ "contacts": { "cards": [{ "formattedName": "Grace Hopper", "firstName": "Grace", "phones": ["+16505551234"] }] } }),
        ),
        (
            "buttons",
            json!({ "interactive": { "body": "Which?", "buttons": { "buttons": [{ "id": "a", "title": "A" }, { "id": "b", "title": "B" }] } } }),
        ),
        (
            "list",
            json!({ "interactive": { "body": "Which?", "list": { "button": "Choose", "sections": [{ "title": "All", "rows": [{ "id": "1", "title": "One" }] }] } } }),
        ),
        (
            "link",
            json!({ "interactive": { "body": "Look", "ctaUrl": { "displayText": "Open", "url": "https://shop.example/" } } }),
        ),
        (
            "reaction",
            json!({ "reaction": { "messageId": customers_message, "emoji": "👍" } }),
        ),
    ] {
        let sent = world
            .send(&conversation, kind, &json!({ "content": content }))
            .await;
        let message = world
            .reaches(&sent, &["SENT", "DELIVERED", "READ", "FAILED"])
            .await;
        assert_ne!(
            message["status"], "MESSAGE_STATUS_FAILED",
            "{kind}: {}",
            message["failure"]
        );
    }
    let reply = json!({ "content": { "text": { "body": "to that" } }, "replyToMessageId": customers_message });
    let sent = world.send(&conversation, "reply", &reply).await;
    world.is_sent(&sent).await;
    world.stop().await;
}
