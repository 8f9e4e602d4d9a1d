//! Our client against Resend's own OpenAPI file, by way of `make contract`: a server that validates every request by
//! the file, and the file's examples of events. Without the two variables that script sets, they can't run, so nothing
//! but that script runs them.

use std::time::Duration;

use clock::Clock;
use http::Method;
use resend::{Email, webhook::Event};
use serde::Deserialize;
use serde_json::Value;

use crate::sends::{client, email, http, key};

fn asked(variable: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "set by scripts/contract.sh for this test"
    )]
    let value = std::env::var(variable);
    value.unwrap_or_else(|_| panic!("{variable} is not set: run `make contract`"))
}

#[tokio::test]
#[ignore = "make contract"]
async fn every_email_we_send_is_acceptable_to_resends_specification() {
    let client = client(&asked("CONTRACT_BASE_URL"));
    let one = Email {
        to: vec!["ada@example.com".into()],
        ..email()
    };
    let plain = Email {
        html: None,
        reply_to: None,
        tags: Vec::new(),
        ..email()
    };
    let fifty = Email {
        to: vec!["Ada <ada@example.com>".into(); 50],
        text: None,
        ..email()
    };
    let emails = [email(), one, plain, fifty];
    for (number, email) in emails.iter().enumerate() {
        let sent = client.send(email, &key(&"k".repeat(256 - number))).await;
        let sent = sent.unwrap_or_else(|error| panic!("{number}: {}", errors::chain(&error)));
        assert!(!sent.id.is_empty());
    }
    println!("{} kinds of e-mails accepted", emails.len());
}

/// Without this, a server that takes anything would pass for a check.
#[tokio::test]
#[ignore = "make contract"]
async fn the_server_refuses_what_the_specification_does_not_allow() {
    let url = format!("{}/emails", asked("CONTRACT_BASE_URL"));
    let url = outbound::Url::parse(&url).expect("a URL");
    let http = http(Clock::system(), Duration::from_secs(30));
    let post = || http.request("emails.send", Method::POST, url.clone());
    let body = serde_json::json!({"from": "app@example.com", "to": [], "subject": "Hi"});
    let unsigned = post().json(&body).send().await.expect("an answer");
    assert_eq!(unsigned.status(), 401);
    let broken = post().bearer(&"re_1".into()).json(&body).send().await;
    assert_eq!(broken.expect("an answer").status(), 422);
}

/// An event made from the file's schema of it.
#[derive(Deserialize)]
struct Example {
    name: String,
    value: Value,
}

#[test]
#[ignore = "make contract"]
fn every_event_of_resends_specification_is_read() {
    let path = asked("CONTRACT_EXAMPLES");
    let text = std::fs::read_to_string(&path).expect("the examples");
    let examples: Vec<Example> = serde_json::from_str(&text).expect("the examples are JSON");
    for Example { name, value } in &examples {
        let event = Event::parse(value.to_string().as_bytes());
        let event = event.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(event.created_at.is_some(), "{name}");
        let data = &value["data"];
        if !name.starts_with("email.") {
            continue;
        }
        assert_eq!(
            event.email_id.as_deref(),
            data["email_id"].as_str(),
            "{name}"
        );
        assert_eq!(
            event.to.len(),
            data["to"].as_array().map_or(0, Vec::len),
            "{name}"
        );
        assert_eq!(event.bounce.is_some(), data["bounce"].is_object(), "{name}");
        assert_eq!(
            event.failure.as_deref(),
            data["failed"]["reason"].as_str(),
            "{name}"
        );
        assert_eq!(
            event.tags.len(),
            data["tags"].as_object().map_or(0, serde_json::Map::len),
            "{name}"
        );
    }
    assert!(
        examples
            .iter()
            .any(|example| example.name == "email.bounced")
    );
    println!("{} kinds of events read", examples.len());
}
