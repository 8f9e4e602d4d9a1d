use clock::Clock;
use sandbox::{Sandbox, SandboxConfig, StartError};
use serde_json::{Value, json};

use crate::harness::{CUSTOMER, World, client, fetch, word};

#[tokio::test]
async fn bad_control_calls_say_what_is_wrong() {
    let world = World::new().await;
    let messages = format!("customers/{CUSTOMER}/messages");
    for (path, body, status) in [
        (
            "phone_numbers",
            json!({"waba_id": "1", "display_phone_number": "+15550001111"}),
            404,
        ),
        (
            "phone_numbers",
            json!({"waba_id": world.ids.waba_id, "display_phone_number": "x"}),
            400,
        ),
        ("faults", json!({"kind": "earthquake"}), 400),
        ("faults", json!({"kind": "garbage_body", "tims": 3}), 400),
        ("customers/nobody/messages", json!({"text": "Hi"}), 400),
        (&messages, json!({"image": {}}), 400),
        (
            &messages,
            json!({"type": "image", "image": "x",
            "media": {"mime_type": "image/png", "base64": "aGk="}}),
            400,
        ),
        (
            "apps",
            json!({"app_secret": "s", "callback_url": "http://127.0.0.1:1/",
            "verify_token": "v"}),
            422,
        ),
        (
            "statuses",
            json!({"wamid": "wamid.unknown", "status": "read"}),
            404,
        ),
        ("nowhere", json!({}), 404),
    ] {
        let (got, answer) = fetch(world.client.post(world.control(path)).json(&body)).await;
        assert_eq!(got.as_u16(), status, "{path} {body}: {answer}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test]
async fn the_ledger_is_read_in_pages_and_cleared() {
    let world = World::new().await;
    for text in ["a", "b", "c"] {
        world.sent(text).await;
    }
    let url = world.control("ledger/sends?limit=2&opaque_prefix=");
    let (_, page) = fetch(world.client.get(&url)).await;
    let texts = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().expect("a list");
        data.iter().map(|send| word(&send["opaque"])).collect()
    };
    assert_eq!(texts(&page), ["a", "b"]);
    assert_eq!(page["data"][0]["body"]["text"]["body"], "a");
    let next = format!("{url}&after={}", page["next_after"]);
    assert_eq!(texts(&fetch(world.client.get(next)).await.1), ["c"]);

    let (_, all) = fetch(world.client.get(world.control("ledger"))).await;
    assert_eq!(all["counters"]["sends_accepted"], 3);
    assert_eq!(all["counters"]["inbound_messages"], 1);
    world.quiet().await;
    let cleared = world.client.delete(world.control("ledger"));
    assert!(fetch(cleared).await.0.is_success());
    let (_, all) = fetch(world.client.get(world.control("ledger"))).await;
    assert_eq!(all["counters"]["sends_accepted"], 0);
    assert_eq!(all["sends"], json!([]));
}

#[tokio::test]
async fn a_later_status_can_be_sent_by_hand() {
    let world = World::new().await;
    let wamid = world.sent("voice").await;
    world.quiet().await;
    let body = json!({"wamid": wamid, "status": "played"});
    world.tell("statuses", &body).await;
    world.quiet().await;
    let words = world.inbox.status_words();
    assert_eq!(words.last().map(String::as_str), Some("played"));
}

#[tokio::test]
async fn reset_forgets_everything() {
    let world = World::new().await;
    world.tell("reset", &json!({})).await;
    assert_eq!(world.refusal(world.send_text("x")).await, (401, 190));
}

#[tokio::test]
async fn the_control_api_can_have_an_address_of_its_own() {
    let config = SandboxConfig {
        control_listen: Some(([127, 0, 0, 1], 0).into()),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config, Clock::system()).await;
    let sandbox = sandbox.expect("it starts");
    let client = client();
    let health = format!("{}/health", sandbox.control_url());
    assert!(fetch(client.get(health)).await.0.is_success());
    let same = format!("{}/_sandbox/health", sandbox.base_url());
    assert!(!fetch(client.get(same)).await.0.is_success());
    sandbox.shutdown().await;
}

#[tokio::test]
async fn it_listens_on_loopback_only_unless_told_otherwise() {
    let config = SandboxConfig {
        listen: ([0, 0, 0, 0], 0).into(),
        ..SandboxConfig::default()
    };
    let refused = Sandbox::start(config, Clock::system()).await;
    assert!(matches!(refused, Err(StartError::Remote(_))));
}
