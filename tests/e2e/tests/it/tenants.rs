//! Another organization's id is like a random one.

use serde_json::{Value, json};
use switchboard::api::Api;

use crate::world::{World, connect_number};

/// Status and body of a GET without what differs by nature.
async fn answer(world: &World, api: &Api, path: &str) -> String {
    match api.get(path).await {
        Ok(body) => panic!("{path} answered {body}"),
        Err(error) => error.to_string().replace(&world.platform.gateway, ""),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_are_indistinguishable_from_random_ones() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let shown: Value = world
        .owner
        .get(&format!("/v1/conversations/{conversation}"))
        .await
        .expect("own");
    let message = world.messages(&conversation).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let contact = shown["contactId"].as_str().expect("an id").to_owned();
    let stranger = world.stranger().await;
    for (path, own, random) in [
        (
            "/v1/conversations/{}",
            &conversation,
            "cv_01h455vb4pex5vsknk084sn02q",
        ),
        (
            "/v1/conversations/{}/messages",
            &conversation,
            "cv_01h455vb4pex5vsknk084sn02q",
        ),
        (
            "/v1/messages/{}",
            &message,
            "msg_01h455vb4pex5vsknk084sn02q",
        ),
        ("/v1/contacts/{}", &contact, "ct_01h455vb4pex5vsknk084sn02q"),
        (
            "/v1/channels/{}",
            &world.channel_id,
            "ch_01h455vb4pex5vsknk084sn02q",
        ),
        (
            "/v1/channels/{}/notices",
            &world.channel_id,
            "ch_01h455vb4pex5vsknk084sn02q",
        ),
    ] {
        let foreign = answer(&world, &stranger, &path.replace("{}", own)).await;
        let unknown = answer(&world, &stranger, &path.replace("{}", random)).await;
        assert_eq!(foreign, unknown, "{path}");
        assert!(foreign.starts_with("404"), "{path}: {foreign}");
    }
    let send = json!({ "content": { "text": { "body": "hello" } } });
    let path = format!("/v1/conversations/{conversation}/messages");
    let refused = stranger
        .post(&path, "foreign", &send)
        .await
        .expect_err("not theirs");
    assert!(refused.to_string().starts_with("404"), "{refused}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_streams_of_another_organization_are_empty() {
    let world = World::start().await;
    world.conversation("secret words").await;
    let stranger = world.stranger().await;
    for path in ["/v1/conversations", "/v1/contacts", "/v1/channels"] {
        let list = stranger.get(path).await.expect("a list").to_string();
        assert!(
            !list.contains("secret words") && !list.contains("_0"),
            "{path}: {list}"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_belongs_to_one_organization_at_a_time() {
    let world = World::start().await;
    let stranger = world.stranger().await;
    let refused = connect_number(&stranger, "mine", &world.number)
        .await
        .expect_err("taken");
    assert!(
        refused.to_string().contains("messaging.channel_taken"),
        "{refused}"
    );
    world.stop().await;
}
