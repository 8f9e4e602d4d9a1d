use sandbox::meta::sign;
use serde_json::{Value, json};

use crate::harness::{CUSTOMER, SECRET, World, callback, fetch, word};

#[tokio::test]
async fn a_customers_message_arrives_signed_over_its_raw_bytes() {
    let world = World::new().await;
    let receipt = world.customer_writes("Grüße 😀 https://a.example/").await;
    world.quiet().await;
    let posts = world.inbox.posts();
    let (headers, body) = posts.last().expect("a delivery");
    assert_eq!(
        headers["x-hub-signature-256"],
        sign(&SECRET.into(), body).as_str()
    );
    assert_eq!(headers["content-type"], "application/json");
    assert!(body.is_ascii(), "Meta escapes what isn't ASCII");
    assert!(body.windows(2).any(|pair| pair == b"\\/"));

    let messages = world.inbox.messages();
    let message = messages.last().expect("a message");
    assert_eq!(message["id"], receipt["wamid"]);
    assert_eq!(message["from"], "16505551234");
    assert_eq!(message["text"]["body"], "Grüße 😀 https://a.example/");
    assert!(message["timestamp"].is_string());
}

#[tokio::test]
async fn statuses_come_in_order_with_our_data_and_a_price() {
    let world = World::new().await;
    let wamid = world.sent("opaque-1").await;
    world.quiet().await;
    let statuses = world.inbox.statuses();
    let words: Vec<_> = statuses.iter().map(|status| &status["status"]).collect();
    assert_eq!(words, ["sent", "delivered", "read"]);
    for status in &statuses {
        assert_eq!(status["id"], wamid);
        assert_eq!(status["recipient_id"], "16505551234");
        assert_eq!(status["biz_opaque_callback_data"], "opaque-1");
        assert!(status.get("conversation").is_none(), "gone since v24");
    }
    assert_eq!(statuses[0]["pricing"]["pricing_model"], "PMP");
    assert_eq!(statuses[0]["pricing"]["category"], "service");
    assert!(statuses[2].get("pricing").is_none());

    let send = world.sandbox.ledger().find_send(&wamid).expect("a send");
    assert!(send.statuses.iter().all(|status| status.acknowledged));
    assert_eq!(send.statuses.len(), 3);
}

#[tokio::test]
async fn a_webhook_is_repeated_until_it_is_answered_with_200() {
    let world = World::new().await;
    world.inbox.refuse(3);
    let receipt = world.customer_writes("again").await;
    world.quiet().await;
    let wamid = word(&receipt["wamid"]);
    let filter = sandbox::meta::Filter {
        wamid: Some(wamid),
        ..sandbox::meta::Filter::default()
    };
    let attempts = world.sandbox.ledger().deliveries(&filter);
    let seen: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.attempt, attempt.http_status, attempt.last))
        .collect();
    let refused = Some(503);
    assert_eq!(
        seen,
        [
            (1, refused, false),
            (2, refused, false),
            (3, refused, false),
            (4, Some(200), true)
        ]
    );
}

#[tokio::test]
async fn a_webhook_nobody_takes_is_given_up_after_the_last_attempt() {
    let world = World::new().await;
    let settings = json!({"webhooks": {"max_attempts": 2}});
    world.patch("settings", &settings).await;
    world.inbox.refuse(2);
    world.customer_writes("lost").await;
    world.quiet().await;
    assert_eq!(world.sandbox.meta().counters().deliveries_given_up, 1);
}

#[tokio::test]
async fn many_statuses_travel_together() {
    let world = World::new().await;
    let off = json!({"limits": {"pair": false, "throughput": false},
        "statuses": {"sent_ms": [300, 300], "delivered_ms": [1, 1], "read_ms": [1, 1]},
        "webhooks": {"max_in_flight": 1, "coalesce_ms": 100}});
    world.patch("settings", &off).await;
    for number in 0..60 {
        world.sent(&number.to_string()).await;
    }
    world.quiet().await;
    assert_eq!(world.inbox.statuses().len(), 180);
    assert!(world.inbox.posts().len() < 60);
}

#[tokio::test]
async fn only_subscribed_apps_get_webhooks() {
    let world = World::new().await;
    let path = format!("{}/subscribed_apps", world.ids.waba_id);
    let (_, list) = fetch(world.get(&path)).await;
    let app = &list["data"][0]["whatsapp_business_api_data"];
    assert_eq!(app["id"], world.ids.app_id);

    let before = world.inbox.posts().len();
    assert!(fetch(world.delete(&path)).await.0.is_success());
    assert_eq!(world.customer_writes("unheard").await["apps"], 0);
    world.sent("no statuses").await;
    assert_eq!(world.sandbox.meta().pending_webhooks(), 0);
    assert_eq!(world.inbox.posts().len(), before);

    assert!(fetch(world.post(&path, &json!({}))).await.0.is_success());
    world.customer_writes("heard").await;
    world.quiet().await;
    assert_eq!(world.inbox.posts().len(), before + 1);
}

#[tokio::test]
async fn an_override_takes_the_messages_of_its_number() {
    let world = World::new().await;
    let (address, other, _server) = callback().await;
    let url = format!("http://{address}/webhooks/whatsapp");
    let configure = |verify: &str| {
        json!({"webhook_configuration":
            {"override_callback_uri": url, "verify_token": verify}})
    };
    let number = world.ids.phone_number_id.clone();
    let wrong = world.post(&number, &configure("wrong"));
    assert_eq!(world.refusal(wrong).await, (400, 2200));
    let right = world.post(&number, &configure(crate::harness::VERIFY));
    assert!(fetch(right).await.0.is_success());

    let before = world.inbox.posts().len();
    world.customer_writes("elsewhere").await;
    world.quiet().await;
    assert_eq!(other.messages()[0]["text"]["body"], "elsewhere");
    assert_eq!(world.inbox.posts().len(), before);
}

#[tokio::test]
async fn any_payload_can_be_signed_and_delivered() {
    let world = World::new().await;
    let raw = r#"{"object":"whatsapp_business_account","entry":[],"odd":"\u0000\ud83d"}"#;
    let body = json!({"app_id": world.ids.app_id, "payload": raw});
    world.tell("webhooks", &body).await;
    world.quiet().await;
    let posts = world.inbox.posts();
    let (headers, body) = posts.last().expect("a delivery");
    assert_eq!(body, raw.as_bytes());
    assert_eq!(
        headers["x-hub-signature-256"],
        sign(&SECRET.into(), raw.as_bytes()).as_str()
    );
}

#[tokio::test]
async fn a_customers_file_can_be_fetched_by_the_id_in_the_webhook() {
    let world = World::new().await;
    let image = json!({"type": "image", "image": {"caption": "see"},
        "media": {"mime_type": "image/png", "base64": "aGVsbG8="}});
    world
        .tell(&format!("customers/{CUSTOMER}/messages"), &image)
        .await;
    world.quiet().await;
    let messages = world.inbox.messages();
    let image = &messages.last().expect("a message")["image"];
    assert_eq!(image["caption"], "see");
    let (_, media) = fetch(world.get(&word(&image["id"]))).await;
    for url in [&image["url"], &media["url"]] {
        let request = world
            .client
            .get(word(url))
            .bearer_auth(crate::harness::TOKEN);
        let bytes = request.send().await.expect("an answer").bytes().await;
        assert_eq!(bytes.expect("a body"), "hello".as_bytes());
    }
}

#[tokio::test]
async fn a_customer_who_hides_the_number_is_known_by_user_id_only() {
    let world = World::new().await;
    let profile = json!({"hide_phone": true, "username": "pablo", "name": "Pablo"});
    world
        .patch(&format!("customers/{CUSTOMER}"), &profile)
        .await;
    let user_id = word(&world.customer_writes("hidden").await["from_user_id"]);
    world.quiet().await;
    let messages = world.inbox.messages();
    let message = messages.last().expect("a message");
    assert!(message.get("from").is_none());
    assert_eq!(message["from_user_id"], user_id);

    let body = json!({"messaging_product": "whatsapp", "recipient": user_id,
        "type": "text", "text": {"body": "Hi"}});
    let path = format!("{}/messages", world.ids.phone_number_id);
    let (_, answer) = fetch(world.post(&path, &body)).await;
    assert_eq!(answer["contacts"][0]["user_id"], user_id);
    assert_eq!(answer["contacts"][0].get("wa_id"), None::<&Value>);
    world.quiet().await;
    let statuses = world.inbox.statuses();
    assert!(
        statuses
            .iter()
            .all(|status| status.get("recipient_id").is_none())
    );
}
