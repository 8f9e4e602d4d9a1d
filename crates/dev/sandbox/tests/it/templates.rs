use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::{World, fetch};

fn send(world: &World, name: &str, components: &Value) -> RequestBuilder {
    world.send(&json!({"type": "template", "template":
        {"name": name, "language": {"code": "en_US"}, "components": components}}))
}

fn text(value: &str) -> Value {
    json!({"type": "text", "text": value})
}

#[tokio::test]
async fn a_template_is_sent_with_exactly_its_parameters() {
    let world = World::new().await;
    let track = json!({"type": "button", "sub_type": "url", "index": "0",
        "parameters": [text("A-1")]});
    let body = |values: &[Value]| json!({"type": "body", "parameters": values});
    let full = json!([body(&[text("Ann"), text("A-1")]), track]);
    assert!(
        fetch(send(&world, "order_update", &full))
            .await
            .0
            .is_success()
    );

    for (components, code) in [
        (json!([body(&[text("Ann")]), track]), 132_000),
        (json!([body(&[text("Ann"), text("A-1")])]), 131_008),
        (json!([body(&[text("Ann"), text("")]), track]), 131_008),
        (json!([body(&[text("Ann"), text("a\nb")]), track]), 132_018),
        (
            json!([body(&[text("Ann"), text(&"x".repeat(1024))]), track]),
            132_005,
        ),
        (json!([]), 132_000),
    ] {
        let request = send(&world, "order_update", &components);
        assert_eq!(world.refusal(request).await, (400, code), "{components}");
    }
    let request = send(&world, "no_such", &json!([]));
    assert_eq!(world.refusal(request).await, (404, 132_001));
}

#[tokio::test]
async fn named_parameters_and_media_headers_are_checked() {
    let world = World::new().await;
    let named =
        |name: &str, value: &str| json!({"type": "text", "parameter_name": name, "text": value});
    let image = json!({"type": "header", "parameters":
        [{"type": "image", "image": {"link": "https://a.example/b.png"}}]});
    let body = |second: &str| {
        json!({"type": "body", "parameters":
            [named("discount", "20%"), named(second, "Ann")]})
    };
    let good = json!([image, body("first_name")]);
    assert!(
        fetch(send(&world, "season_offer", &good))
            .await
            .0
            .is_success()
    );
    let odd = send(&world, "season_offer", &json!([image, body("last_name")]));
    assert_eq!(world.refusal(odd).await, (400, 132_012));
    let bare = send(&world, "season_offer", &json!([body("first_name")]));
    assert_eq!(world.refusal(bare).await, (400, 132_012));
}

#[tokio::test]
async fn a_paused_template_is_refused_and_listed_as_such() {
    let world = World::new().await;
    let template = json!({"name": "hello_world", "language": "en_US", "category": "UTILITY",
        "status": "PAUSED", "components": [{"type": "BODY", "text": "Hello"}]});
    world
        .tell(&format!("wabas/{}/templates", world.ids.waba_id), &template)
        .await;
    let request = send(&world, "hello_world", &json!([]));
    assert_eq!(world.refusal(request).await, (400, 132_015));
    let path = format!("{}/message_templates", world.ids.waba_id);
    let (_, list) = fetch(world.get(&format!("{path}?status=PAUSED&fields=name,status"))).await;
    assert_eq!(list["data"][0]["name"], "hello_world");
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn templates_are_listed_in_pages() {
    let world = World::new().await;
    let path = format!(
        "{}/message_templates?limit=3&fields=name",
        world.ids.waba_id
    );
    let (_, first) = fetch(world.get(&path)).await;
    assert_eq!(first["data"].as_array().map(Vec::len), Some(3));
    assert!(first["paging"]["next"].is_string());
    let after = first["paging"]["cursors"]["after"]
        .as_str()
        .expect("a cursor");
    let (_, second) = fetch(world.get(&format!("{path}&after={after}"))).await;
    assert_eq!(second["data"].as_array().map(Vec::len), Some(1));
    assert!(second["paging"].get("next").is_none());
}

#[tokio::test]
async fn a_template_is_handed_in_once_changed_after_its_review_and_deleted() {
    let world = World::new().await;
    let path = format!("{}/message_templates", world.ids.waba_id);
    let body = json!({"name": "order_ready", "language": "en_US", "category": "utility",
        "components": [{"type": "BODY", "text": "Hi {{1}}, it is here.",
            "example": {"body_text": [["Ada"]]}}]});
    let (status, created) = fetch(world.post(&path, &body)).await;
    assert!(status.is_success(), "{created}");
    assert_eq!(created["status"], "PENDING");
    assert_eq!(world.refusal(world.post(&path, &body)).await, (400, 100));
    let id = created["id"].as_str().expect("an id");
    assert_eq!(
        world.refusal(world.post(id, &body)).await,
        (400, 100),
        "under review"
    );
    let mut bare = body.clone();
    bare["name"] = json!("other");
    bare["components"][0]["example"] = Value::Null;
    assert_eq!(
        world.refusal(world.post(&path, &bare)).await,
        (400, 100),
        "no examples"
    );

    let mut approved = body.clone();
    approved["id"] = json!(id);
    let review = format!("wabas/{}/templates", world.ids.waba_id);
    world.tell(&review, &approved).await;
    let (status, _) = fetch(world.post(id, &body)).await;
    assert!(status.is_success());
    let (_, node) = fetch(world.get(&format!("{id}?fields=status"))).await;
    assert_eq!(node["status"], "PENDING");
    let query = format!("{path}?name=order_ready&hsm_id={id}");
    let (status, _) = fetch(world.delete(&query)).await;
    assert!(status.is_success());
    assert_eq!(
        world.refusal(world.delete(&query)).await,
        (400, 100),
        "gone"
    );
}
