//! A template from its draft to the customer.

use clock::Clock;
use serde_json::{Value, json};

use crate::world::{World, eventually};

impl World {
    async fn template(&self, path: &str) -> Value {
        self.owner.get(path).await.expect("the template")
    }

    /// Meta's id of the template of this name.
    fn provider_id_of_template(&self, name: &str) -> String {
        let listed = self.sandbox().meta().templates(&self.number.waba_id);
        let found = listed.into_iter().find(|template| template.name == name);
        found.expect("Meta has it").id
    }

    /// A webhook about the account's template arrives.
    async fn template_webhook(&self, event: &str, provider_id: &str) {
        let id: u64 = provider_id.parse().expect("digits");
        let now = Clock::system().now().timestamp();
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{
                "id": self.number.waba_id,
                "time": now,
                "changes": [{
                    "field": "message_template_status_update",
                    "value": {
                        "event": event, "message_template_id": id,
                        "message_template_name": "order_ready", "message_template_language": "en-US",
                    },
                }],
            }],
        });
        let status = self.deliver(body.to_string().as_bytes()).await;
        assert_eq!(status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_written_approved_and_sent_until_it_is_paused() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let draft = json!({
        "wabaId": world.number.waba_id, "name": "order_ready", "language": "en_US",
        "category": "TEMPLATE_CATEGORY_UTILITY",
        "definition": {
            "body": "Hi {{1}}, it is here.", "examples": [{ "value": "Ada" }], "footer": "Shop",
        },
    });
    let draft = world.owner.post("/v1/templates", "draft", &draft).await;
    let draft = draft.expect("a draft");
    let path = format!("/v1/templates/{}", draft["id"].as_str().expect("an id"));
    let submitted = world
        .owner
        .post(&format!("{path}/submit"), "submit", &json!({}))
        .await
        .expect("submitted");
    assert_eq!(submitted["status"], "TEMPLATE_STATUS_PENDING");

    let provider_id = world.provider_id_of_template("order_ready");
    world.template_webhook("APPROVED", &provider_id).await;
    let approved = async || world.template(&path).await["status"] == "TEMPLATE_STATUS_APPROVED";
    eventually(approved).await;
    // The reviewers' side of it.
    let accepted = json!({
        "id": provider_id, "name": "order_ready", "language": "en_US", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Hi {{1}}, it is here." }, { "type": "FOOTER", "text": "Shop" }],
    });
    let control = format!("wabas/{}/templates", world.number.waba_id);
    world
        .control
        .post(&control, &accepted)
        .await
        .expect("approved");

    let message = |text: &str| {
        json!({ "content": { "template": {
            "name": "order_ready", "language": "en_US",
            "components": [{ "type": "body", "parameters": [{ "type": "text", "text": text }] }],
        } } })
    };
    let sent = world.send(&conversation, "ada", &message("Ada")).await;
    let sent = world.is_sent(&sent).await;
    assert_eq!(
        sent["content"]["template"]["text"],
        "Hi Ada, it is here.\nShop"
    );

    world.template_webhook("PAUSED", &provider_id).await;
    let paused = async || world.template(&path).await["status"] == "TEMPLATE_STATUS_PAUSED";
    eventually(paused).await;
    let path = format!("/v1/conversations/{conversation}/messages");
    let refused = world.owner.post(&path, "grace", &message("Grace")).await;
    let refused = refused.expect_err("paused").to_string();
    assert!(
        refused.contains("messaging.template_not_sendable"),
        "{refused}"
    );
    world.stop().await;
}
