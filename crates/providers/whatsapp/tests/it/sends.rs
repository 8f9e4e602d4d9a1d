//! A send ends in exactly one of: accepted, not sent, refused, unknown.

use std::{net::SocketAddr, sync::Once, time::Duration};

use clock::Clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use whatsapp::{
    Client,
    client::{Accepted, Config, MessageStatus, SendError, Why},
    codes::{Class, Scope},
    send::{Content, Draft, Outgoing},
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_partial_json, header, method, path},
};

use crate::{bodies::phone, fixtures::json as sample};

static TLS: Once = Once::new();

/// An HTTP client as the services make it.
pub(crate) fn http() -> outbound::Client {
    http_with(Duration::from_secs(30))
}

fn http_with(deadline: Duration) -> outbound::Client {
    TLS.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("no provider was installed before");
    });
    let (clock, _hand) = Clock::manual(chrono::DateTime::UNIX_EPOCH);
    let config = outbound::Config {
        deadline,
        breaker: None,
        ..outbound::Config::default()
    };
    outbound::Client::new("whatsapp", config, clock).expect("an HTTP client")
}

pub(crate) fn client(base_url: &str) -> Client {
    client_with(base_url, http())
}

fn client_with(base_url: &str, http: outbound::Client) -> Client {
    let config = Config {
        base_url: outbound::Url::parse(base_url).expect("a URL"),
        ..Config::default()
    };
    Client::new(config, http)
}

pub(crate) fn token() -> SecretString {
    "s3cret-token".into()
}

pub(crate) async fn server(status: u16, body: &Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(&server)
        .await;
    server
}

fn hello() -> Outgoing {
    let draft = Draft::new(phone(), Content::text("Hello"));
    draft.build().expect("within the limits")
}

async fn send(base_url: &str) -> Result<Accepted, SendError> {
    client(base_url)
        .send("106540352242922", &token(), &hello())
        .await
}

async fn answered(status: u16, body: &Value) -> Result<Accepted, SendError> {
    send(&server(status, body).await.uri()).await
}

fn error(code: i64) -> Value {
    json!({"error": {"message": "(#x) y", "type": "OAuthException", "code": code}})
}

#[tokio::test]
async fn the_call_has_its_address_its_token_and_its_body() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v25.0/106540352242922/messages"))
        .and(header("authorization", "Bearer s3cret-token"))
        .and(header("content-type", "application/json"))
        .and(body_partial_json(
            json!({"to": "+16505551234", "type": "text"}),
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(sample("resp-send-phone.json")))
        .expect(1)
        .mount(&server)
        .await;
    let accepted = send(&server.uri()).await.expect("accepted");
    assert!(accepted.wamid.starts_with("wamid."));
    assert_eq!(accepted.wa_id.as_deref(), Some("16505551234"));
}

#[tokio::test]
async fn every_documented_success_is_accepted() {
    let bsuid = answered(200, &sample("resp-send-bsuid.json"))
        .await
        .expect("accepted");
    assert_eq!(
        (bsuid.wa_id, bsuid.user_id.as_deref()),
        (None, Some("US.13491208655302741918"))
    );
    let template = answered(200, &sample("resp-send-template-accepted.json")).await;
    let status = template.expect("accepted").message_status;
    assert_eq!(status, Some(MessageStatus::Accepted));
    let held =
        json!({"messages": [{"id": "wamid.1", "message_status": "held_for_quality_assessment"}]});
    let status = answered(200, &held).await.expect("accepted").message_status;
    assert_eq!(status, Some(MessageStatus::HeldForQualityAssessment));
}

#[tokio::test]
async fn documented_errors_are_refusals_with_their_class() {
    for (name, status, class, scope) in [
        (
            "err-100-invalid-parameter.json",
            400,
            "Never",
            Scope::Message,
        ),
        (
            "err-100-template-parameters.json",
            400,
            "Never",
            Scope::Message,
        ),
        ("err-130429-rate-limit.json", 400, "Backoff", Scope::Number),
        ("err-190-invalid-token.json", 401, "Wait", Scope::Credential),
        ("err-429-rate-limit.json", 429, "Backoff", Scope::App),
        ("err-permissions.json", 403, "Wait", Scope::Credential),
    ] {
        match answered(status, &sample(name)).await {
            Err(SendError::Rejected(rejection)) => {
                let found = format!("{:?}", rejection.class);
                assert!(found.starts_with(class), "{name}: {found}");
                assert_eq!(rejection.scope, scope, "{name}");
                assert!(!rejection.hint.is_empty());
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_code_decides_and_not_the_http_status() {
    for (status, code, class) in [
        (500, 131_045, Class::Wait),
        (400, 131_056, Class::PairBackoff),
        (400, 131_047, Class::Never),
        (400, 368, Class::Wait),
        (200, 190, Class::Wait),
    ] {
        let found = answered(status, &error(code)).await.expect_err("refused");
        assert!(matches!(found, SendError::Rejected(_)), "{code}: {found:?}");
        assert_eq!(found.class(), class, "{code}");
    }
}

#[tokio::test]
async fn errors_that_may_come_after_the_message_was_taken_are_unknown() {
    for (status, body) in [
        (500, error(131_000)),
        (500, error(131_016)),
        (503, error(2)),
        (400, error(1)),
        (500, sample("err-500-unexpected.json")),
        (500, error(987_654_321)),
        (502, json!("<html>")),
        (504, json!(null)),
        (408, json!(null)),
        (200, json!({})),
        (200, json!({"messages": [{}]})),
        (200, json!("<html>")),
    ] {
        let found = answered(status, &body).await.expect_err("not accepted");
        assert!(
            matches!(found, SendError::Unknown { .. }),
            "{status} {body}: {found:?}"
        );
        assert_eq!(found.class(), Class::Unknown);
        assert_eq!(found.class().delay(1), None, "never repeated blindly");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_goes_by_its_status() {
    let body = json!("<html>");
    for (status, class) in [
        (400, "Never"),
        (403, "Never"),
        (413, "Never"),
        (429, "Backoff"),
        (302, "Never"),
    ] {
        let found = answered(status, &body).await.expect_err("refused");
        assert!(
            matches!(found, SendError::Rejected(_)),
            "{status}: {found:?}"
        );
        assert!(
            format!("{:?}", found.class()).starts_with(class),
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_account_that_calls_too_much_is_told_when_to_go_on() {
    let usage = r#"{"102290129340398":[{"type":"whatsapp_business_management","call_count":100,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":5}]}"#;
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(400).set_body_json(error(80_007));
    Mock::given(any())
        .respond_with(answer.insert_header("x-business-use-case-usage", usage))
        .mount(&server)
        .await;
    let error = send(&server.uri()).await.expect_err("refused");
    assert_eq!(error.retry_after(), Some(Duration::from_mins(5)));
}

#[tokio::test]
async fn a_template_error_is_recognised_by_its_subcode() {
    let body =
        json!({"error": {"code": 100, "error_subcode": 2_388_023, "error_user_msg": "in use"}});
    let error = answered(400, &body).await.expect_err("refused");
    let rejection = error.rejection().expect("what WhatsApp said");
    assert_eq!(
        (rejection.class, rejection.scope),
        (Class::Never, Scope::Template)
    );
    assert_eq!(rejection.user_message.as_deref(), Some("in use"));
    let hidden = json!({"error": {"code": 100, "error_subcode": 33}});
    let error = answered(400, &hidden).await.expect_err("refused");
    assert_eq!(
        error.rejection().map(|rejection| rejection.scope),
        Some(Scope::Credential)
    );
}

#[tokio::test]
async fn a_number_nobody_listens_at_is_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = send(&format!("http://{address}"))
        .await
        .expect_err("not sent");
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    assert!(error.class().delay(1).is_some(), "may be repeated");
}

/// Reads a request's head and then does one thing.
async fn drops_after_request(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    #[expect(
        clippy::disallowed_methods,
        reason = "lives as long as the test's runtime"
    )]
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _read = stream.read(&mut head).await;
            let _written = stream.write_all(answer).await;
        }
    });
    address
}

#[tokio::test]
async fn a_lost_or_cut_answer_is_unknown() {
    let cut: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{\"messages\":[{\"id\":\"wamid.";
    for answer in [&b""[..], cut] {
        let address = drops_after_request(answer).await;
        let error = send(&format!("http://{address}"))
            .await
            .expect_err("unknown");
        assert!(
            matches!(
                error,
                SendError::Unknown {
                    why: Why::NoAnswer,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn silence_is_unknown() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let client = client_with(&server.uri(), http_with(Duration::from_millis(300)));
    let error = client
        .send("1065", &token(), &hello())
        .await
        .expect_err("unknown");
    assert!(
        matches!(
            error,
            SendError::Unknown {
                why: Why::NoAnswer,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_send_goes_out_once_whatever_the_answer() {
    for (status, body) in [(503, error(2)), (429, error(4)), (500, json!(null))] {
        let server = server(status, &body).await;
        let _error = send(&server.uri()).await.expect_err("not accepted");
        let requests = server.received_requests().await.expect("recorded");
        assert_eq!(requests.len(), 1);
    }
}

#[tokio::test]
async fn an_id_that_is_none_never_leaves() {
    let server = server(200, &json!({})).await;
    let client = client(&server.uri());
    for id in ["", "..", "1/../2", "1?x=y"] {
        let error = client
            .send(id, &token(), &hello())
            .await
            .expect_err("refused");
        assert!(matches!(error, SendError::Rejected(_)), "{id}");
    }
    assert!(
        server
            .received_requests()
            .await
            .expect("recorded")
            .is_empty()
    );
}

#[tokio::test]
async fn errors_show_neither_token_nor_number_nor_text() {
    let body = json!({"error": {"code": 131_030, "message": "s3cret +16505551234", "error_data": {"details": "s3cret"}, "fbtrace_id": "Az8"}});
    let error = answered(400, &body).await.expect_err("refused");
    let chain = errors::chain(&error);
    assert_eq!(
        chain,
        "WhatsApp refused the message: WhatsApp error 131030, trace Az8"
    );
    assert!(!format!("{error:?}").contains("s3cret"));
    let details = error
        .rejection()
        .and_then(|rejection| rejection.details.clone());
    assert_eq!(
        details.as_deref(),
        Some("s3cret"),
        "kept for the tenant's eyes"
    );
}
