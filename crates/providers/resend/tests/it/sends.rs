//! A send ends in exactly one of: taken, again later, again tomorrow, never, not before the settings are right.

use std::{error::Error as _, sync::Once, time::Duration};

use chrono::{DateTime, Utc};
use clock::Clock;
use errors::{Classify, Kind};
use resend::{
    Client, Config, Email, Error, IdempotencyKey, Tag,
    client::{Period, Refusal, Why},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_json, header, header_exists, method, path},
};

static TLS: Once = Once::new();

/// Half an hour before midnight.
fn evening() -> DateTime<Utc> {
    "2026-11-23T23:30:00Z".parse().expect("a time")
}

pub(crate) fn http(clock: Clock, deadline: Duration) -> outbound::Client {
    TLS.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("no provider was installed before");
    });
    let config = outbound::Config {
        deadline,
        breaker: None,
        ..outbound::Config::default()
    };
    outbound::Client::new("resend", config, clock).expect("an HTTP client")
}

pub(crate) fn client(base_url: &str) -> Client {
    client_with(base_url, Duration::from_secs(30))
}

pub(crate) fn client_with(base_url: &str, deadline: Duration) -> Client {
    let (clock, _hand) = Clock::manual(evening());
    let from = "Switchboard <app@switchboard.example>";
    let config = Config::new("re_secret".into(), base_url, from).expect("usable settings");
    Client::new(config, http(clock, deadline))
}

pub(crate) fn email() -> Email {
    Email {
        to: vec!["Ada <ada@example.com>".into(), "eve@example.com".into()],
        subject: "Reset your password".into(),
        html: Some("<a href=\"https://app.example/r/1\">Reset</a>".into()),
        text: Some("https://app.example/r/1".into()),
        reply_to: Some("help@switchboard.example".into()),
        tags: vec![Tag::new("category", "password_reset").expect("a tag")],
    }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a key")
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn refusal(status: u16, name: &str) -> ResponseTemplate {
    let message = "You can only send to ada@example.com";
    let body = json!({"statusCode": status, "name": name, "message": message});
    ResponseTemplate::new(status).set_body_json(body)
}

async fn failed(answer: ResponseTemplate) -> Error {
    let server = server(answer).await;
    let sent = client(&server.uri()).send(&email(), &key("k")).await;
    sent.expect_err("no e-mail was taken")
}

#[tokio::test]
async fn an_email_goes_out_as_resend_documents_it_and_once() {
    let server = MockServer::start().await;
    let body = json!({
        "from": "Switchboard <app@switchboard.example>",
        "to": ["Ada <ada@example.com>", "eve@example.com"],
        "subject": "Reset your password",
        "html": "<a href=\"https://app.example/r/1\">Reset</a>",
        "text": "https://app.example/r/1",
        "reply_to": ["help@switchboard.example"],
        "tags": [{"name": "category", "value": "password_reset"}],
    });
    Mock::given(method("POST"))
        .and(path("/v/emails"))
        .and(header("authorization", "Bearer re_secret"))
        .and(header("idempotency-key", "reset/1"))
        .and(header_exists("user-agent"))
        .and(body_json(body))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "4ef9a417"})))
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&format!("{}/v/", server.uri()));
    let sent = client.send(&email(), &key("reset/1")).await;
    assert_eq!(sent.expect("taken").id, "4ef9a417");
}

#[tokio::test]
async fn what_is_left_out_is_not_sent() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({"id": "1"}));
    let server = server(answer).await;
    let plain = Email {
        html: None,
        reply_to: None,
        tags: Vec::new(),
        ..email()
    };
    let sent = client(&server.uri()).send(&plain, &key("k")).await;
    sent.expect("taken");
    let requests = server.received_requests().await.expect("recorded");
    let body: Value = requests[0].body_json().expect("JSON");
    let keys: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["from", "subject", "text", "to"]);
}

#[tokio::test]
async fn what_may_pass_is_sent_again_after_the_pause_resend_asks_for() {
    for (answer, seconds) in [
        (refusal(429, "rate_limit_exceeded"), 1),
        (
            refusal(429, "rate_limit_exceeded").insert_header("retry-after", "7"),
            7,
        ),
        (
            refusal(429, "rate_limit_exceeded").insert_header("ratelimit-reset", "3"),
            3,
        ),
        (ResponseTemplate::new(429), 1),
        (refusal(409, "concurrent_idempotent_requests"), 2),
        (refusal(409, "resource_locked"), 2),
        (refusal(500, "application_error"), 5),
        (refusal(500, "internal_server_error"), 5),
        (
            refusal(503, "service_unavailable").insert_header("retry-after", "60"),
            60,
        ),
        (ResponseTemplate::new(502).set_body_string("<html>"), 5),
        (ResponseTemplate::new(200).set_body_string("<html>"), 5),
        (ResponseTemplate::new(200).set_body_json(json!({})), 5),
        (ResponseTemplate::new(200), 5),
    ] {
        let error = failed(answer.clone()).await;
        assert!(
            matches!(error, Error::Retry { .. }),
            "{answer:?}: {error:?}"
        );
        let after = Some(Duration::from_secs(seconds));
        assert_eq!(Classify::retry_after(&error), after, "{answer:?}");
        assert_ne!(error.code().kind, Kind::Invalid);
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let server = server(slow).await;
    let impatient = client_with(&server.uri(), Duration::from_millis(50));
    let error = impatient
        .send(&email(), &key("k"))
        .await
        .expect_err("no answer");
    assert_eq!(error.code().kind, Kind::Timeout);
    assert!(matches!(
        error,
        Error::Retry {
            why: Why::NoAnswer(_),
            ..
        }
    ));
    let nobody = client("http://127.0.0.1:1").send(&email(), &key("k")).await;
    let error = nobody.expect_err("nobody listens");
    assert_eq!(error.code().kind, Kind::Unavailable);
    assert!(matches!(
        error,
        Error::Retry {
            why: Why::NoAnswer(_),
            ..
        }
    ));
}

#[tokio::test]
async fn a_used_up_quota_waits_for_the_next_day_and_not_for_the_next_second() {
    for (name, expected) in [
        ("daily_quota_exceeded", Period::Daily),
        ("monthly_quota_exceeded", Period::Monthly),
    ] {
        let error = failed(refusal(429, name).insert_header("retry-after", "1")).await;
        let Error::Quota { period, after } = error else {
            panic!("{error:?}");
        };
        assert_eq!((period, after), (expected, Duration::from_mins(30)));
    }
}

#[tokio::test]
async fn what_resend_will_never_take_is_refused_for_good() {
    for answer in [
        refusal(422, "validation_error"),
        refusal(400, "validation_error"),
        refusal(422, "missing_required_field"),
        refusal(422, "invalid_parameter"),
        refusal(409, "invalid_idempotent_request"),
        refusal(400, "invalid_idempotency_key"),
        refusal(451, "security_error"),
        refusal(422, "a_reason_of_tomorrow"),
        ResponseTemplate::new(413),
    ] {
        let error = failed(answer.clone()).await;
        assert!(
            matches!(error, Error::Refused(Refusal::Rejected(_))),
            "{answer:?}: {error:?}"
        );
        assert_eq!(
            (error.code().kind, error.retry_after()),
            (Kind::Invalid, None)
        );
    }
}

#[tokio::test]
async fn wrong_settings_are_told_from_a_wrong_email() {
    for answer in [
        refusal(401, "missing_api_key"),
        refusal(401, "restricted_api_key"),
        refusal(403, "invalid_api_key"),
        refusal(403, "suspended_api_key"),
        refusal(403, "invalid_permission"),
        refusal(403, "validation_error"),
        refusal(422, "invalid_from_address"),
        refusal(404, "not_found"),
        refusal(405, "method_not_allowed"),
        ResponseTemplate::new(403).set_body_string("error code: 1010"),
        ResponseTemplate::new(301).insert_header("location", "https://example.com/"),
    ] {
        let error = failed(answer.clone()).await;
        assert!(
            matches!(error, Error::Configuration(_)),
            "{answer:?}: {error:?}"
        );
        assert_eq!(
            (error.code().kind, error.retry_after()),
            (Kind::Internal, None)
        );
        assert_eq!(
            error.detail(),
            error.code().title,
            "nothing internal gets out"
        );
    }
}

#[tokio::test]
async fn an_unsendable_email_is_refused_without_a_call() {
    let server = server(ResponseTemplate::new(200)).await;
    let nobody = Email {
        to: Vec::new(),
        ..email()
    };
    let sent = client(&server.uri()).send(&nobody, &key("k")).await;
    assert!(matches!(sent, Err(Error::Refused(Refusal::Invalid(_)))));
    let requests = server.received_requests().await.expect("recorded");
    assert!(requests.is_empty());
}

#[tokio::test]
async fn neither_addresses_nor_texts_nor_the_key_get_into_logs() {
    for answer in [
        refusal(422, "validation_error"),
        refusal(403, "Ada ada@example.com"),
        refusal(500, "application_error"),
        ResponseTemplate::new(200).set_body_string("ada@example.com"),
    ] {
        let error = failed(answer).await;
        let printed = format!("{error:?} {} {:?}", errors::chain(&error), error.source());
        assert!(
            !printed.contains("ada") && !printed.contains("Ada"),
            "{printed}"
        );
        assert!(!printed.contains("re_secret"), "{printed}");
    }
    let printed = format!("{:?} {:?}", client("http://127.0.0.1:1"), email());
    assert!(
        !printed.contains("re_secret") && !printed.contains("ada@"),
        "{printed}"
    );
}
