//! Our client against Meta's own OpenAPI file, by way of `make contract`: a server that validates
//! every request by the file, and the file's examples of answers. Without the two variables that
//! script sets, they can't run, so nothing but that script runs them.

use std::collections::BTreeMap;

use outbound::Body;
use serde::Deserialize;
use serde_json::{Value, json};
use whatsapp::{
    Client,
    client::{CallError, Upload},
    send::{Content, Draft, Outgoing, Recipient},
    webhook::{Payload, parse},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    bodies::phone,
    fixtures::json as sample,
    sends::{client, token},
};

const NUMBER: &str = "106853218861309";
const WABA: &str = "1234567890123456";

fn asked(variable: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "set by scripts/contract.sh for this test"
    )]
    let value = std::env::var(variable);
    value.unwrap_or_else(|_| panic!("{variable} is not set: run `make contract`"))
}

/// One message of every kind the client can send, with every optional part somewhere.
fn messages() -> Vec<(String, Outgoing)> {
    let kinds = include_str!("contract/kinds.json");
    let kinds: BTreeMap<String, Value> = serde_json::from_str(kinds).expect("the kinds are JSON");
    let samples = [
        "req-interactive-list.json",
        "req-template-carousel.json",
        "req-template-coupon.json",
        "req-template-limited-time-offer.json",
        "req-template-named-utility.json",
        "req-template-otp.json",
    ];
    let samples = samples.map(|name| (name.to_owned(), sample(name)));
    let message = |(name, content): (String, Value)| {
        let content = serde_json::from_value(content).unwrap_or_else(|e| panic!("{name}: {e}"));
        let message = Draft::new(phone(), content).build();
        let message = message.unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, message)
    };
    let mut messages: Vec<_> = kinds.into_iter().chain(samples).map(message).collect();
    let mut add = |name: &str, draft: Draft| {
        messages.push((name.to_owned(), draft.build().expect("within the limits")));
    };
    let text = || Content::text("x");
    let everything = Draft::new(phone(), text())
        .reply_to("wamid.A")
        .callback_data("v1.m.1.00")
        .recipient_identity_key_hash("abc");
    add("reply with everything", everything);
    let hidden = Recipient::BusinessScoped("US.13491208655302741918".into());
    add("to a business-scoped id", Draft::new(hidden, text()));
    let group = Recipient::Group("Y2FwaV9n".into());
    add("to a group", Draft::new(group, text()));
    messages
}

#[tokio::test]
#[ignore = "make contract"]
async fn every_message_we_send_is_acceptable_to_metas_specification() {
    let base_url = asked("CONTRACT_BASE_URL");
    let client = client(&base_url);
    let mut refused = Vec::new();
    let messages = messages();
    for (name, message) in &messages {
        if let Err(error) = client.send(NUMBER, &token(), message).await {
            refused.push(format!("{name}: {}", errors::chain(&error)));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    println!("{} kinds of messages accepted", messages.len());
}

#[tokio::test]
#[ignore = "make contract"]
async fn every_other_call_is_acceptable_to_metas_specification() {
    let base_url = asked("CONTRACT_BASE_URL");
    let (client, token) = (client(&base_url), token());
    // Where two calls share a path the server gives the other's answer: the request was accepted.
    for typing in [true, false] {
        let marked = client.mark_read(NUMBER, &token, "wamid.A", typing).await;
        assert!(matches!(marked, Err(CallError::Unreadable)), "{marked:?}");
    }
    client
        .get_phone_number(NUMBER, &token)
        .await
        .expect("get_phone_number");
    client
        .list_phone_numbers(WABA, &token)
        .await
        .expect("list_phone_numbers");
    client
        .subscribe_app(WABA, &token)
        .await
        .expect("subscribe_app");
    client
        .list_subscribed_apps(WABA, &token)
        .await
        .expect("list_subscribed_apps");
    let upload = Upload {
        mime_type: "image/png".into(),
        filename: "a.png".into(),
        body: Body::from("PNG!"),
        size_bytes: 4,
    };
    client.upload(NUMBER, &token, upload).await.expect("upload");
    let media = client
        .media_url("2621233374848975", &token, Some(NUMBER))
        .await;
    assert!(matches!(media, Err(CallError::Unreadable)), "{media:?}");
    client
        .delete_media("2621233374848975", &token)
        .await
        .expect("delete_media");
    client
        .list_templates(WABA, &token, None)
        .await
        .expect("list_templates");
    for name in [
        "req-template-create-otp.json",
        "req-template-create-utility-named.json",
    ] {
        let created = client.create_template(WABA, &token, &sample(name)).await;
        created.unwrap_or_else(|error| panic!("{name}: {}", errors::chain(&error)));
    }
    client
        .delete_template(WABA, &token, "a", Some("1"))
        .await
        .expect("delete_template");
}

/// Proof that the server looks, after all corrections of the file.
#[tokio::test]
#[ignore = "make contract"]
async fn the_specification_refuses_what_is_wrong() {
    let base_url = asked("CONTRACT_BASE_URL");
    let without_token = client(&base_url).get_phone_number(NUMBER, &"".into()).await;
    assert!(without_token.is_err());
    let link = |parameters: Value| {
        let action = json!({"name": "cta_url", "parameters": parameters});
        json!({"type": "interactive", "interactive": {"type": "cta_url", "body": {"text": "x"}, "action": action}})
    };
    let url = outbound::Url::parse(&format!("{base_url}/v25.0/{NUMBER}/messages")).expect("a URL");
    let http = crate::sends::http();
    for mut body in [
        json!({"type": "text", "text": {"body": 5}}),
        json!({"type": "text", "text": {"body": "x", "surprise": 1}}),
        json!({"type": "hologram", "hologram": {}}),
        json!({"type": "image", "image": {"caption": "no id and no link"}}),
        json!({"type": "template", "template": {"language": {"code": "en_US"}}}),
        link(json!({"display_text": "Open"})),
        json!({"status": "read"}),
    ] {
        body["messaging_product"] = json!("whatsapp");
        body["recipient_type"] = json!("individual");
        body["to"] = json!("+16505551234");
        let call = http.request("test", http::Method::POST, url.clone());
        let answer = call
            .bearer(&token())
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_client_error(), "{body} was accepted");
    }
}

#[derive(Deserialize)]
struct Example {
    kind: String,
    #[serde(default)]
    route: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    status: u16,
    name: String,
    value: Value,
}

fn examples(kind: &str) -> Vec<Example> {
    let path = asked("CONTRACT_EXAMPLES");
    let text = std::fs::read_to_string(path).expect("the examples");
    let examples: Vec<Example> = serde_json::from_str(&text).expect("the examples are JSON");
    examples
        .into_iter()
        .filter(|example| example.kind == kind)
        .collect()
}

/// Makes the call this answer belongs to.
async fn read(client: &Client, example: &Example) -> Result<(), CallError> {
    let token = token();
    let resource = example.route.trim_start_matches("/{Version}/");
    match (example.method.as_str(), resource) {
        ("post", "{Phone-Number-ID}/media") => {
            let upload = Upload {
                mime_type: "image/png".into(),
                filename: "a".into(),
                body: Body::from("x"),
                size_bytes: 1,
            };
            client.upload(NUMBER, &token, upload).await.map(drop)
        }
        ("get", "{Phone-Number-ID}") => client.get_phone_number(NUMBER, &token).await.map(drop),
        ("get", "{Media-ID}") => client.media_url("1", &token, None).await.map(drop),
        ("delete", "{Media-ID}") => client.delete_media("1", &token).await,
        ("get", "{WABA-ID}/phone_numbers") => {
            client.list_phone_numbers(WABA, &token).await.map(drop)
        }
        ("get", "{WABA-ID}/subscribed_apps") => {
            client.list_subscribed_apps(WABA, &token).await.map(drop)
        }
        ("post", "{WABA-ID}/subscribed_apps") => client.subscribe_app(WABA, &token).await,
        ("get", "{WABA-ID}/message_templates") => {
            client.list_templates(WABA, &token, None).await.map(drop)
        }
        ("post", "{WABA-ID}/message_templates") => client
            .create_template(WABA, &token, &json!({}))
            .await
            .map(drop),
        ("delete", "{WABA-ID}/message_templates") => {
            client.delete_template(WABA, &token, "a", None).await
        }
        ("post", "{Phone-Number-ID}/messages") if example.value.get("success").is_some() => {
            client.mark_read(NUMBER, &token, "wamid.A", true).await
        }
        (method, resource) => panic!("no call for {method} {resource}"),
    }
}

#[tokio::test]
#[ignore = "make contract"]
async fn every_answer_in_the_specification_is_understood() {
    let examples = examples("response");
    for example in &examples {
        let name = format!(
            "{} {} {} {}",
            example.method, example.route, example.status, example.name
        );
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(example.status).set_body_json(&example.value);
        // Reads are repeated when a server is busy: not here.
        Mock::given(any())
            .respond_with(answer.insert_header("retry-after", "3600"))
            .mount(&server)
            .await;
        let client = client(&server.uri());
        let is_send =
            example.route.ends_with("/messages") && example.value.get("success").is_none();
        let code = example.value.pointer("/error/code").and_then(Value::as_i64);
        let found = if is_send {
            let hello = Draft::new(phone(), Content::text("x")).build();
            let sent = client
                .send(NUMBER, &token(), &hello.expect("within the limits"))
                .await;
            sent.map(drop)
                .map_err(|error| error.rejection().and_then(|r| r.code))
        } else {
            read(&client, example).await.map_err(|error| match error {
                CallError::Rejected(rejection) => rejection.code,
                CallError::Unreachable(_) | CallError::Unreadable => panic!("{name}: {error:?}"),
            })
        };
        let expected = if code.is_some() { Err(code) } else { Ok(()) };
        assert_eq!(found, expected, "{name}");
    }
    println!("{} answers understood", examples.len());
}

#[test]
#[ignore = "make contract"]
fn every_webhook_in_the_specification_is_understood() {
    let examples = examples("webhook");
    for example in &examples {
        let parsed = parse(example.value.to_string().as_bytes());
        let items = parsed
            .unwrap_or_else(|error| panic!("{}: {error}", example.name))
            .items;
        assert!(!items.is_empty(), "{}", example.name);
        for item in items {
            assert_ne!(item.payload, Payload::Unknown, "{}", example.name);
        }
    }
    println!("{} webhooks understood", examples.len());
}

#[test]
#[ignore = "make contract"]
fn every_message_in_the_specification_is_one_we_can_send_or_leave_out_on_purpose() {
    let examples = examples("request");
    let sends = examples
        .iter()
        .filter(|example| example.route.ends_with("/messages"));
    let mut left_out = Vec::new();
    for example in sends {
        if serde_json::from_value::<Content>(example.value.clone()).is_err() {
            left_out.push(example.name.as_str());
        }
    }
    left_out.sort_unstable();
    // Catalogues and payments are not built; three examples lack their `type`, and one has truth
    // values where texts belong.
    assert_eq!(
        left_out,
        [
            "Send Catalog Message",
            "Send Multi-Product Message",
            "Send Order Details Message",
            "Send Order Status Message",
            "Send Reply to List Message",
            "Send Sample Issue Resolution Template",
            "Send Single Product Message",
            "Send Text Message with Preview URL",
            "Send typing indicator and read receipt",
        ]
    );
}
