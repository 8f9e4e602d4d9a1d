//! A team's day: what Chatwoot's users asked for or complained about, played through the API. The numbers are those of
//! chatwoot's issues.

use std::time::Duration;

use clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    ledger,
    world::{CUSTOMER, World, eventually},
};

/// A Brazilian mobile as it is written today, and as WhatsApp may know it: without the ninth digit.
const DIALLED: &str = "5511987654321";
const KNOWN_AS: &str = "551187654321";

impl World {
    /// PUT, as the owner.
    async fn put(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .owner
            .request(Method::PUT, path)
            .json(body)
            .send()
            .await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "PUT {path}: {body}");
        body
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.owner.get(path).await;
        answer.unwrap_or_else(|error| panic!("GET {path}: {error:#}"))
    }

    async fn me(&self) -> String {
        let caller = self.get("/v1/me").await;
        caller["id"].as_str().expect("an id").to_owned()
    }

    /// What was done with the conversation, the oldest first: kind, before, after.
    async fn activities(&self, conversation: &str) -> Vec<[String; 3]> {
        let mut messages = self.messages(conversation).await;
        messages.reverse();
        let done = messages.iter().filter_map(|message| {
            let activity = message["content"].get("activity")?;
            let text = |key: &str| activity[key].as_str().unwrap_or_default().to_owned();
            Some([text("kind"), text("before"), text("after")])
        });
        done.collect()
    }

    /// The customer says a word about marketing; so many are known then.
    async fn says(&self, conversation: &str, word: &str, known: usize) {
        let written = self.control.customer_writes(CUSTOMER, &self.number, word);
        written.await.expect("the customer writes");
        let conversation = self.get(&format!("/v1/conversations/{conversation}")).await;
        let contact = conversation["contactId"]
            .as_str()
            .expect("an id")
            .to_owned();
        eventually(async || {
            let consents = self.get(&format!("/v1/contacts/{contact}/consents")).await;
            consents["consents"].as_array().map(Vec::len) == Some(known)
        })
        .await;
    }

    /// The customer writes what `message` says.
    async fn customer_does(&self, phone: &str, mut message: Value) -> String {
        message["phone_number_id"] = json!(self.number.phone_number_id);
        let path = format!("customers/{phone}/messages");
        let written = self.control.post(&path, &message).await.expect("written");
        written["wamid"].as_str().expect("a wamid").to_owned()
    }
}

/// 9587, 13050 (assignment), 5672 (who did what): a conversation is taken, noted, put off, woken by its customer and
/// resolved; each step is in its stream once, and the customer's next message opens it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_through_the_hands_of_a_team() {
    let world = World::start().await;
    let id = world.conversation("where is my order?").await;
    let path = format!("/v1/conversations/{id}");
    let me = world.me().await;
    // Who was invited a moment ago is known within seconds.
    let take = json!({ "assigneeId": me });
    eventually(async || {
        let request = world
            .owner
            .request(Method::PUT, &format!("{path}/assignment"));
        let answer = request.json(&take).send().await.expect("an answer");
        answer.status().is_success()
    })
    .await;
    let label = json!({ "name": "Orders", "color": "#aa0000" });
    let label = world.owner.post("/v1/labels", "label", &label).await;
    let label = label.expect("a label")["id"].clone();
    let labels = format!("{path}/labels");
    let put_on = json!({ "addLabelIds": [label] });
    world
        .owner
        .post(&labels, "put", &put_on)
        .await
        .expect("put on");
    let note = json!({ "body": "look at this, please", "mentionedUserIds": [me] });
    let notes = format!("{path}/notes");
    world
        .owner
        .post(&notes, "note", &note)
        .await
        .expect("a note");
    let later = (Clock::system().now() + Duration::from_hours(3)).to_rfc3339();
    let snooze = json!({ "status": "CONVERSATION_STATUS_SNOOZED", "snoozedUntil": later });
    world.put(&format!("{path}/status"), &snooze).await;

    assert_eq!(world.conversation("hello?").await, id);
    let woken = world.get(&path).await;
    assert_eq!(woken["status"], "CONVERSATION_STATUS_OPEN");
    assert_eq!(woken["unreadCount"], 2);
    assert_eq!(woken["assigneeId"], json!(me));
    assert_eq!(woken["labelIds"], json!([label]));
    let mine = world.get("/v1/conversations?assignee=me&unread=true").await;
    assert_eq!(mine["conversations"].as_array().map(Vec::len), Some(1));
    let mentions = world.get("/v1/mentions?unreadOnly=true").await;
    assert_eq!(mentions["mentions"][0]["conversationId"], json!(id));
    let read = format!("{path}/read");
    let read = world.owner.post(&read, "read", &json!({})).await;
    read.expect("read");
    let mentions = world.get("/v1/mentions?unreadOnly=true").await;
    assert_eq!(mentions["mentions"].as_array().map_or(0, Vec::len), 0);

    let sent = world.send_text(&id, "answer", "it is on its way").await;
    world.is_sent(&sent).await;
    let resolve = json!({ "status": "CONVERSATION_STATUS_RESOLVED" });
    world.put(&format!("{path}/status"), &resolve).await;
    assert_eq!(world.conversation("thank you").await, id);
    assert_eq!(world.get(&path).await["status"], "CONVERSATION_STATUS_OPEN");
    let statuses = world.activities(&id).await;
    let statuses: Vec<_> = statuses
        .iter()
        .filter(|[kind, ..]| kind == "status")
        .map(|[_, before, after]| (before.as_str(), after.as_str()))
        .collect();
    assert_eq!(
        statuses,
        [
            ("open", "snoozed"),
            ("snoozed", "open"),
            ("open", "resolved"),
            ("resolved", "open")
        ]
    );
    // The note went nowhere.
    assert_eq!(world.times_sent("look at this, please"), 0);
    world.stop().await;
}

/// 5840, 13986 (Brazil's ninth digit), 13808: two spellings of one number are one person with one conversation, and an
/// answer goes to the spelling that wrote last.
#[tokio::test(flavor = "multi_thread")]
async fn two_spellings_of_a_number_are_one_person() {
    let world = World::start().await;
    let first = world.conversation_with(DIALLED, "from the new phone").await;
    let second = world.conversation_with(KNOWN_AS, "from the old one").await;
    assert_eq!(first, second);
    assert_eq!(world.messages(&first).await.len(), 2);
    assert_eq!(
        world.count("select count(*) from messaging.contacts").await,
        1
    );
    let sent = world.send_text(&first, "answer", "hello to both").await;
    world.is_sent(&sent).await;
    let taken = ledger::taken(world.sandbox());
    let taken = taken.iter().find(|taken| taken.text == "hello to both");
    assert_eq!(taken.expect("sent").to, format!("+{KNOWN_AS}"));
    world.stop().await;
}

/// 8656, 10411: a customer who answers by a thumb has answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_is_a_message_like_any_other() {
    let world = World::start().await;
    let id = world.conversation("is it ready?").await;
    let sent = world.send_text(&id, "answer", "yes, it is").await;
    let wamid = world.is_sent(&sent).await["wamid"].clone();
    let reaction =
        json!({ "type": "reaction", "reaction": { "message_id": wamid, "emoji": "👍" } });
    world.customer_does(CUSTOMER, reaction).await;
    let seen = eventually(async || {
        let messages = world.messages(&id).await;
        let found = messages.into_iter();
        found
            .map(|message| message["content"]["reaction"].clone())
            .find(|reaction| !reaction.is_null())
    })
    .await;
    assert_eq!(seen["emoji"], "👍");
    assert_eq!(seen["wamid"], wamid);
    world.stop().await;
}

/// 12526: who says STOP gets no marketing from then on, and gets it again after START; answers are written as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_marketing_and_a_start_begins_it_again() {
    let world = World::start().await;
    let id = world.conversation("hello").await;
    let offer = json!({
        "id": "7001", "name": "autumn_offer", "language": "en_US", "category": "MARKETING", "status": "APPROVED",
        "components": [{ "type": "BODY", "text": "Twenty percent off." }],
    });
    let control = format!("wabas/{}/templates", world.number.waba_id);
    world
        .control
        .post(&control, &offer)
        .await
        .expect("a template");
    let sync = json!({ "wabaId": world.number.waba_id });
    let synced = world.owner.post("/v1/templates/sync", "sync", &sync).await;
    synced.expect("asked for");
    eventually(async || {
        let listed = world.get("/v1/templates").await;
        listed["templates"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "autumn_offer"))
    })
    .await;
    let message =
        json!({ "content": { "template": { "name": "autumn_offer", "language": "en_US" } } });
    let path = format!("/v1/conversations/{id}/messages");
    world.says(&id, "STOP", 1).await;
    let refused = world.owner.post(&path, "refused", &message).await;
    let refused = refused.expect_err("withdrawn").to_string();
    assert!(refused.contains("messaging.consent_withdrawn"), "{refused}");
    let answer = world
        .send_text(&id, "answer", "you will hear no more offers")
        .await;
    world.is_sent(&answer).await;
    world.says(&id, "START", 2).await;
    let sent = world.send(&id, "again", &message).await;
    world.is_sent(&sent).await;
    world.stop().await;
}
