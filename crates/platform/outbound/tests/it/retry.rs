//! Repetition happens only where the caller allowed it.

use std::time::Duration;

use http::{Method, StatusCode};
use outbound::{Error, Retry, Unknown, breaker, multipart};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::server::{client, quick, raw, url};

fn impatient() -> Retry {
    Retry {
        attempts: 3,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(5),
    }
}

async fn busy_then_fine(busy: u64) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(busy)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .with_priority(2)
        .mount(&server)
        .await;
    server
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.expect("recorded").len()
}

#[tokio::test]
async fn a_plain_call_goes_out_once_whatever_happens() {
    let server = busy_then_fine(9).await;
    let client = client(quick());
    let call = client.request("test.post", Method::POST, url(&server.uri()));
    let response = call.body("x").send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn an_idempotent_call_is_repeated_until_it_works() {
    let server = busy_then_fine(2).await;
    let client = client(quick());
    let call = client.request("test.put", Method::PUT, url(&server.uri()));
    let response = call.body("x").idempotent(impatient()).send().await;
    assert_eq!(response.expect("an answer").status(), StatusCode::OK);
    assert_eq!(requests(&server).await, 3);
}

#[tokio::test]
async fn attempts_are_bounded_and_the_last_answer_is_returned() {
    let server = busy_then_fine(9).await;
    let client = client(quick());
    let call = client.request("test.put", Method::PUT, url(&server.uri()));
    let response = call
        .idempotent(impatient())
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(requests(&server).await, 3);
}

#[tokio::test]
async fn a_retry_after_beyond_our_patience_ends_the_retries() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "60"))
        .mount(&server)
        .await;
    let client = client(quick());
    let call = client.request("test.get", Method::GET, url(&server.uri()));
    let response = call
        .idempotent(impatient())
        .send()
        .await
        .expect("an answer");
    let asked = response.retry_after(chrono::DateTime::UNIX_EPOCH);
    assert_eq!(asked, Some(Duration::from_mins(1)));
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn a_body_that_cannot_be_had_twice_is_sent_once() {
    let server = busy_then_fine(9).await;
    let client = client(quick());
    let form = multipart::Form::new().text("name", "value");
    let call = client.request("test.upload", Method::POST, url(&server.uri()));
    let response = call.multipart(form).idempotent(impatient()).send().await;
    assert_eq!(
        response.expect("an answer").status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn the_deadline_covers_the_pauses_too() {
    let server = busy_then_fine(9).await;
    let client = client(quick());
    let patient = Retry {
        attempts: 10,
        base: Duration::from_mins(10),
        cap: Duration::from_mins(10),
    };
    let call = client.request("test.get", Method::GET, url(&server.uri()));
    let call = call
        .idempotent(patient)
        .deadline(Duration::from_millis(300));
    let response = call.send().await.expect("the answer there was");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_repetition_that_was_not_sent_does_not_hide_an_attempt_that_perhaps_was() {
    let address = raw(|stream| async move { drop(stream) }).await;
    // The first attempt opens the circuit, so the second one surely does not leave.
    let client = client(outbound::Config {
        breaker: Some(breaker::Settings {
            minimum_calls: 1,
            ..breaker::Settings::default()
        }),
        ..quick()
    });
    let call = client.request("test.put", Method::PUT, url(&format!("http://{address}/")));
    let lost = call.body("x").idempotent(impatient()).send().await;
    assert!(
        matches!(
            lost,
            Err(Error::Unknown {
                reason: Unknown::ConnectionLost,
                ..
            })
        ),
        "{lost:?}"
    );
}
