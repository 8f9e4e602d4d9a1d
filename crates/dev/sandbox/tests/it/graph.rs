use std::time::Duration;

use chrono::DateTime;
use clock::Clock;
use reqwest::multipart::{Form, Part};
use sandbox::meta::Filter;
use serde_json::json;

use crate::harness::{CUSTOMER, TOKEN, World, fetch, word};

#[tokio::test]
async fn a_call_needs_a_token_that_opens_the_object() {
    let world = World::new().await;
    let number = world.ids.phone_number_id.clone();
    let bare = world.client.get(world.graph(&number));
    assert_eq!(world.refusal(bare).await, (403, 200));
    let wrong = world.client.get(world.graph(&number)).bearer_auth("nope");
    assert_eq!(world.refusal(wrong).await, (401, 190));

    world.tell("wabas", &json!({"waba_id": "77"})).await;
    let token = json!({"access_token": "other", "app_id": world.ids.app_id, "waba_ids": ["77"]});
    world.tell("tokens", &token).await;
    let foreign = world.client.get(world.graph(&number)).bearer_auth("other");
    let (status, answer) = fetch(foreign).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["code"], 100);
    assert_eq!(answer["error"]["error_subcode"], 33);
    let unknown = world.get("123456");
    assert_eq!(world.refusal(unknown).await, (400, 100));

    world
        .tell("tokens/revoke", &json!({"access_token": TOKEN}))
        .await;
    assert_eq!(world.refusal(world.send_text("x")).await, (401, 190));
}

#[tokio::test]
async fn an_error_has_metas_envelope_and_headers() {
    let world = World::new().await;
    let bad = world.send(&json!({"type": "text"}));
    let response = bad.send().await.expect("an answer");
    assert_eq!(response.headers()["facebook-api-version"], "v25.0");
    assert!(response.headers().contains_key("x-fb-request-id"));
    let error = response.json::<serde_json::Value>().await.expect("JSON")["error"].clone();
    assert_eq!(error["code"], 131_008);
    assert_eq!(error["type"], "OAuthException");
    assert_eq!(error["error_data"]["messaging_product"], "whatsapp");
    assert!(error["fbtrace_id"].is_string());
}

#[tokio::test]
async fn sending_to_the_own_number_or_from_an_unregistered_one_is_refused() {
    let world = World::new().await;
    let own = json!({"to": world.ids.display_phone_number, "text": {"body": "x"}});
    assert_eq!(world.refusal(world.send(&own)).await, (400, 131_021));
    let number = format!("phone_numbers/{}", world.ids.phone_number_id);
    world
        .patch(&number, &json!({"allowed_recipients": ["+49 151 1234567"]}))
        .await;
    assert_eq!(world.refusal(world.send_text("x")).await, (400, 131_030));
    world.patch(&number, &json!({"registered": false})).await;
    assert_eq!(world.refusal(world.send_text("x")).await, (400, 133_010));
}

#[tokio::test]
async fn numbers_are_read_with_the_fields_asked_for() {
    let world = World::new().await;
    let path = format!(
        "{}?fields=quality_rating,throughput",
        world.ids.phone_number_id
    );
    let (_, node) = fetch(world.get(&path)).await;
    assert_eq!(
        node,
        json!({"id": world.ids.phone_number_id, "quality_rating": "GREEN",
            "throughput": {"level": "STANDARD"}})
    );
    let odd = format!("{}?fields=shoe_size", world.ids.phone_number_id);
    assert_eq!(world.refusal(world.get(&odd)).await, (400, 100));
    let list = format!("{}/phone_numbers", world.ids.waba_id);
    let (_, list) = fetch(world.get(&list)).await;
    assert_eq!(list["data"][0]["display_phone_number"], "+1 555 078 3881");
}

#[tokio::test]
async fn a_token_can_be_examined_by_its_app() {
    let world = World::new().await;
    let app_token = format!("{}|{}", world.ids.app_id, crate::harness::SECRET);
    let ask = |input: &str| {
        let url = world.graph(&format!("debug_token?input_token={input}"));
        world.client.get(url).bearer_auth(&app_token)
    };
    let (_, answer) = fetch(ask(TOKEN)).await;
    assert_eq!(answer["data"]["is_valid"], true);
    let granted = &answer["data"]["granular_scopes"][0];
    assert_eq!(granted["target_ids"], json!([world.ids.waba_id]));
    let (_, answer) = fetch(ask("unknown")).await;
    assert_eq!(answer["data"]["is_valid"], false);
}

#[tokio::test]
async fn reading_marks_and_typing_are_taken_and_booked() {
    let world = World::new().await;
    let path = format!("{}/messages", world.ids.phone_number_id);
    let wamid = word(&world.customer_writes("read me").await["wamid"]);
    let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid,
        "typing_indicator": {"type": "text"}});
    let (_, answer) = fetch(world.post(&path, &body)).await;
    assert_eq!(answer, json!({"success": true}));
    let marks = world.sandbox.ledger().read_marks(&Filter::default());
    assert_eq!(marks[0].wamid, wamid);
    assert!(marks[0].typing);
}

#[tokio::test]
async fn an_uploaded_file_is_fetched_by_a_url_that_dies_after_five_minutes() {
    let start = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
    let (clock, hand) = Clock::manual(start);
    let world = World::at(clock).await;
    world.customer_writes("Hi").await;
    let upload = |mime: &str| {
        let part = Part::bytes(b"png".to_vec()).file_name("a.png");
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .part("file", part.mime_str(mime).expect("a MIME type"));
        let url = world.graph(&format!("{}/media", world.ids.phone_number_id));
        world.client.post(url).bearer_auth(TOKEN).multipart(form)
    };
    assert_eq!(world.refusal(upload("image/tiff")).await, (400, 100));
    let (_, uploaded) = fetch(upload("image/png")).await;
    let id = word(&uploaded["id"]);

    let image = json!({"type": "image", "image": {"id": id}});
    assert!(fetch(world.send(&image)).await.0.is_success());
    let video = json!({"type": "video", "video": {"id": id}});
    assert_eq!(world.refusal(world.send(&video)).await, (400, 131_053));

    let (_, media) = fetch(world.get(&id)).await;
    assert_eq!(media["file_size"], "3");
    let download = || world.client.get(word(&media["url"]));
    let good = download()
        .bearer_auth(TOKEN)
        .send()
        .await
        .expect("an answer");
    assert_eq!(good.bytes().await.expect("a body"), "png".as_bytes());
    let bare = download().send().await.expect("an answer");
    assert_eq!(bare.status(), 404);
    hand.advance(Duration::from_secs(301));
    let late = download()
        .bearer_auth(TOKEN)
        .send()
        .await
        .expect("an answer");
    assert_eq!(late.status(), 404);

    assert!(fetch(world.delete(&id)).await.0.is_success());
    assert_eq!(world.refusal(world.get(&id)).await, (400, 100));
}

#[tokio::test]
async fn the_id_whatsapp_knows_may_differ_from_the_number_dialled() {
    let world = World::new().await;
    let dialled = "+5511987654321";
    let profile = json!({"wa_id": "551187654321"});
    world.patch(&format!("customers/{dialled}"), &profile).await;
    let message = json!({"text": "Oi"});
    let receipt = world
        .tell(&format!("customers/{dialled}/messages"), &message)
        .await;
    assert_eq!(receipt["from"], "551187654321");
    for to in [dialled, "551187654321"] {
        let body = json!({"to": to, "text": {"body": "Oi"}});
        let (_, answer) = fetch(world.send(&body)).await;
        assert_eq!(answer["contacts"][0]["wa_id"], "551187654321", "{answer}");
    }
}

#[tokio::test]
async fn a_message_to_somebody_without_whatsapp_fails_later() {
    let world = World::new().await;
    world
        .patch(
            &format!("customers/{CUSTOMER}"),
            &json!({"on_whatsapp": false}),
        )
        .await;
    world.sent("x").await;
    world.quiet().await;
    let statuses = world.inbox.statuses();
    assert_eq!(statuses[0]["status"], "failed");
    assert_eq!(statuses[0]["errors"][0]["code"], 131_026);
}

#[tokio::test]
async fn a_number_and_its_account_tell_how_they_are_doing() {
    let world = World::new().await;
    let number = world.ids.phone_number_id.clone();
    let health = format!("{number}?fields=health_status,status,code_verification_status");
    let (_, good) = fetch(world.get(&health)).await;
    assert_eq!(good["health_status"]["can_send_message"], "AVAILABLE");
    let obstacle = json!({
        "entity_type": "BUSINESS", "error_code": 141_010, "error_description": "Not verified.",
    });
    let ill = json!({
        "status": "FLAGGED", "code_verification_status": "EXPIRED", "obstacles": [obstacle],
    });
    let register = format!("phone_numbers/{number}");
    world.patch(&register, &ill).await;
    let (_, ill) = fetch(world.get(&health)).await;
    assert_eq!(ill["status"], "FLAGGED");
    assert_eq!(ill["code_verification_status"], "EXPIRED");
    assert_eq!(ill["health_status"]["can_send_message"], "LIMITED");
    let entities = ill["health_status"]["entities"].as_array().expect("a list");
    let sick: Vec<_> = entities
        .iter()
        .filter(|entity| !entity["errors"].is_null())
        .map(|entity| {
            (
                word(&entity["entity_type"]),
                word(&entity["can_send_message"]),
            )
        })
        .collect();
    assert_eq!(sick, [("BUSINESS".to_owned(), "LIMITED".to_owned())]);

    let waba = world.ids.waba_id.clone();
    let account = json!({"waba_id": waba, "review_status": "REJECTED"});
    world.tell("wabas", &account).await;
    let review = format!("{waba}?fields=account_review_status");
    let (_, account) = fetch(world.get(&review)).await;
    assert_eq!(account["account_review_status"], "REJECTED");
}
