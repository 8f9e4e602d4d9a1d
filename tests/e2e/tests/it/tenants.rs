//! Another organization's id is like a random one, and nothing of it is ever seen.

use std::{collections::BTreeMap, time::Duration};

use futures::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use switchboard::{
    api::{Api, Event},
    whatsapp::{self, Number},
};

use crate::world::{CUSTOMER, World, database, eventually};

/// An answer without what differs between any two.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

async fn ask(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let headers = answer.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    let mut headers: BTreeMap<_, _> = headers.collect();
    for differs in ["date", "x-request-id"] {
        headers.remove(differs);
    }
    let status = answer.status().as_u16();
    let mut body: Value = answer.json().await.expect("JSON");
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    Answer {
        status,
        headers,
        body,
    }
}

/// A second organization, with a number that it has connected and a customer who has written to it.
struct Stranger {
    owner: Api,
    number: Number,
    channel_id: String,
    conversation: String,
}

impl Stranger {
    async fn new(world: &World) -> Self {
        let owner = world.stranger().await;
        let number = Number {
            phone_number_id: "106540352242923".to_owned(),
            waba_id: world.number.waba_id.clone(),
        };
        let spec = json!({
            "phone_number_id": number.phone_number_id, "waba_id": number.waba_id,
            "display_phone_number": "+1 555 078 3882",
        });
        world
            .control
            .post("phone_numbers", &spec)
            .await
            .expect("a second number");
        let channel_id = whatsapp::connect_channel(&owner, "second", &number)
            .await
            .expect("connected");
        world
            .control
            .customer_writes(CUSTOMER, &number, "to the second")
            .await
            .expect("written");
        let conversation = eventually(async || {
            let list = owner.get("/v1/conversations").await.expect("the list");
            list["conversations"][0]["id"].as_str().map(str::to_owned)
        })
        .await;
        Self {
            owner,
            number,
            channel_id,
            conversation,
        }
    }

    /// Asks with an id in the places marked `{}` of path and body.
    async fn ask(&self, method: &Method, path: &str, body: &Value, id: &str) -> Answer {
        let request = self
            .owner
            .request(method.clone(), &path.replace("{}", id))
            .header("idempotency-key", id);
        if body.is_null() {
            return ask(request).await;
        }
        let body = body.to_string().replace("{}", id);
        let request = request.header("content-type", "application/json");
        ask(request.body(body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_are_indistinguishable_from_random_ones() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let path = format!("/v1/conversations/{conversation}");
    let shown = world.owner.get(&path).await.expect("own");
    let contact = shown["contactId"].as_str().expect("an id");
    let messages = world.messages(&conversation).await;
    let message = messages[0]["id"].as_str().expect("an id");
    let key = json!({ "name": "key", "role": "ROLE_AGENT" });
    let key = world.owner.post("/v1/api-keys", "key", &key).await;
    let key = key.expect("a key");
    let key = key["apiKey"]["id"].as_str().expect("an id");
    let channel = &world.channel_id;
    let stranger = Stranger::new(&world).await;

    let theirs = format!("/v1/conversations/{}/messages", stranger.conversation);
    let text = json!({ "text": { "body": "hello" } });
    let reply = json!({ "content": text, "replyToMessageId": "{}" });
    let reaction = json!({ "content": { "reaction": { "messageId": "{}", "emoji": "👍" } } });
    let open = json!({ "channelId": "{}", "phone": "+4915187654321", "contactName": "Grace" });
    let text = json!({ "content": text });
    let of_conversation = "/v1/conversations/{}/messages";
    let named = json!({ "name": "Grace" });
    let noted = json!({ "body": "hello" });
    let nothing = Value::Null;
    for (method, path, body, own) in [
        (
            Method::GET,
            "/v1/conversations/{}",
            &nothing,
            &*conversation,
        ),
        (Method::GET, of_conversation, &nothing, &conversation),
        (Method::POST, of_conversation, &text, &conversation),
        (Method::GET, "/v1/messages/{}", &nothing, message),
        (Method::GET, "/v1/contacts/{}", &nothing, contact),
        (Method::PATCH, "/v1/contacts/{}", &named, contact),
        (Method::GET, "/v1/contacts/{}/merges", &nothing, contact),
        (Method::GET, "/v1/contacts/{}/consents", &nothing, contact),
        (Method::POST, "/v1/contacts/{}/notes", &noted, contact),
        (Method::GET, "/v1/channels/{}", &nothing, channel),
        (Method::GET, "/v1/channels/{}/notices", &nothing, channel),
        (Method::DELETE, "/v1/api-keys/{}", &nothing, key),
        (Method::POST, &theirs, &reply, message),
        (Method::POST, &theirs, &reaction, message),
        (Method::POST, "/v1/conversations", &open, channel),
    ] {
        let (kind, _) = own.split_once('_').expect("a prefix");
        let random = format!("{kind}_01h455vb4pex5vsknk084sn02q");
        let foreign = stranger.ask(&method, path, body, own).await;
        let unknown = stranger.ask(&method, path, body, &random).await;
        assert_eq!(foreign, unknown, "{method} {path} {body}");
        // A reply or reaction to what is not of its conversation is a conflict with that.
        let refused = if path == theirs { 409 } else { 404 };
        assert_eq!(foreign.status, refused, "{method} {path} {body}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_another_organization_are_empty() {
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
async fn a_stream_has_nothing_of_another_organization() {
    let world = World::start().await;
    let stranger = Stranger::new(&world).await;
    let mut own = world.owner.events(None).await.expect("a stream");
    let mut theirs = stranger.owner.events(None).await.expect("a stream");
    for stream in [&mut own, &mut theirs] {
        let first = next(stream).await;
        assert_eq!(first.kind, "heartbeat");
    }
    world.conversation("secret words").await;
    while next_event(&mut own).await.kind != "message.received" {}
    // The feed has an order: had the stranger got that event, it would come before this one.
    world
        .control
        .customer_writes(CUSTOMER, &stranger.number, "for the second")
        .await
        .expect("written");
    loop {
        // Its own first message may still be told before the second.
        let event = next_event(&mut theirs).await;
        let told = event.data.to_string();
        assert!(!told.contains(&world.channel_id), "{event:?}");
        assert!(!told.contains("secret words"), "{event:?}");
        let received = &event.data["messageReceived"];
        if received["content"]["text"]["body"] == "for the second" {
            assert_eq!(received["channelId"], stranger.channel_id.as_str());
            break;
        }
    }
    drop((own, theirs));
    world.stop().await;
}

/// The next that is no heartbeat.
async fn next_event(stream: &mut (impl Stream<Item = Event> + Unpin)) -> Event {
    loop {
        let event = next(stream).await;
        if event.kind != "heartbeat" {
            return event;
        }
    }
}

async fn next(stream: &mut (impl Stream<Item = Event> + Unpin)) -> Event {
    tokio::time::timeout(Duration::from_mins(1), stream.next())
        .await
        .expect("in time")
        .expect("an open stream")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_belongs_to_one_organization_at_a_time() {
    let world = World::start().await;
    let stranger = world.stranger().await;
    let refused = whatsapp::connect_channel(&stranger, "mine", &world.number)
        .await
        .expect_err("taken");
    assert!(
        refused.to_string().contains("messaging.channel_taken"),
        "{refused}"
    );
    world.stop().await;
}

/// T-02, for the schemas of all services together.
#[tokio::test(flavor = "multi_thread")]
async fn no_role_of_one_service_reaches_into_the_schema_of_another() {
    testkit::assert_schemas_are_isolated(&database().await).await;
}
