//! Files: what a customer sends arrives whatever WhatsApp's media hosts do, and what is uploaded reaches the customer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{CUSTOMER, World, eventually};

/// A PNG of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

impl World {
    async fn customer_sends_a_picture(&self, caption: &str) {
        let message = json!({
            "type": "image", "image": { "caption": caption }, "name": "Ada",
            "media": { "mime_type": "image/png", "base64": PNG },
            "phone_number_id": self.number.phone_number_id,
        });
        let path = format!("customers/{CUSTOMER}/messages");
        let written = self.control.post(&path, &message).await;
        written.expect("the customer writes");
    }

    /// The only message of the only conversation.
    async fn picture(&self) -> Option<Value> {
        let list = self.owner.get("/v1/conversations").await.expect("the list");
        let id = list["conversations"][0]["id"].as_str()?.to_owned();
        self.messages(&id).await.into_iter().next()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_whatsapp_did_not_hand_out_at_first_is_not_lost() {
    let world = World::start().await;
    // More often than one attempt repeats by itself.
    let fault = json!({
        "kind": "graph_error", "call": "media_download", "http_status": 503, "code": 131_016, "times": 4
    });
    world.control.post("faults", &fault).await.expect("a fault");
    world.customer_sends_a_picture("look").await;

    // The message is there at once, and says that its file is on its way.
    let message = eventually(async || world.picture().await).await;
    assert_eq!(message["content"]["media"]["caption"], "look");
    assert_eq!(message["media"].as_array().map(Vec::len), Some(1));

    let ready = eventually(async || {
        let message = world.picture().await?;
        (message["media"][0]["state"] == "MEDIA_STATE_READY").then_some(message)
    })
    .await;
    let file = &ready["media"][0];
    assert_eq!(file["mimeType"], "image/png");
    let address = file["url"].as_str().expect("an address");
    let answer = world.http.get(address).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "image/png");
    let bytes = answer.bytes().await.expect("the bytes");
    assert_eq!(u64::try_from(bytes.len()).ok(), file["sizeBytes"].as_u64());
    let stored = "select count(*) from messaging.media where state = 'ready'";
    assert_eq!(world.count(stored).await, 1);
    let told = "select count(*) from messaging.outbox where event_type = 'switchboard.messaging.events.v1.MediaReady'";
    assert_eq!(world.count(told).await, 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_file_reaches_the_customer_and_opens_for_nobody_else() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let wanted = json!({ "kind": "MEDIA_KIND_DOCUMENT", "filename": "terms.txt" });
    let begun = world.owner.post("/v1/media", "upload", &wanted).await;
    let begun = begun.expect("an upload");
    let put = world
        .http
        .put(begun["uploadUrl"].as_str().expect("an address"))
        .header("content-type", "text/plain")
        .timeout(Duration::from_secs(30))
        .body("our terms");
    assert_eq!(put.send().await.expect("an answer").status(), 200);

    let media_id = begun["media"]["id"].as_str().expect("an id");
    let media = json!({ "kind": "MEDIA_KIND_DOCUMENT", "mediaId": media_id });
    let body = json!({ "content": { "media": media } });
    let message = world.send(&conversation, "with-a-file", &body).await;
    let sent = world.is_sent(&message).await;
    assert_eq!(sent["content"]["media"]["filename"], "terms.txt");
    assert_eq!(sent["media"][0]["id"], media_id);

    let stranger = world.stranger().await;
    assert!(
        stranger
            .get(&format!("/v1/media/{media_id}"))
            .await
            .is_err()
    );
    world.stop().await;
}
