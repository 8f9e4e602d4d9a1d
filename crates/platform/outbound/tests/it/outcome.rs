//! The line between "surely not sent" and "unknown".

use std::{collections::HashMap, time::Duration};

use http::{Method, StatusCode};
use outbound::{Client, Error, NotSent, Request, Unknown, breaker};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::server::{accepts, client, install_tls, quick, raw, says, url};

fn get(client: &Client, address: &str) -> Request {
    client.request("test.get", Method::GET, url(address))
}

fn not_sent(result: Result<outbound::Response, Error>) -> NotSent {
    let error = result.expect_err("a failure");
    assert!(error.is_surely_not_sent(), "{error:?}");
    match error {
        Error::NotSent { reason, .. } => reason,
        Error::Unknown { .. } => panic!("{error:?}"),
    }
}

fn unknown(result: Result<outbound::Response, Error>) -> Unknown {
    let error = result.expect_err("a failure");
    assert!(!error.is_surely_not_sent(), "{error:?}");
    match error {
        Error::Unknown { reason, .. } => reason,
        Error::NotSent { .. } => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_refused_connection_is_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = client(quick());
    let result = get(&client, &format!("http://{address}/")).send().await;
    assert_eq!(not_sent(result), NotSent::Connect);
}

#[tokio::test]
async fn an_unknown_name_is_surely_not_sent() {
    let client = client(quick());
    let result = get(&client, "http://no-such-host.invalid/").send().await;
    assert_eq!(not_sent(result), NotSent::Dns);
}

#[tokio::test]
async fn a_failed_handshake_is_surely_not_sent() {
    let speaks_plain = accepts(|mut stream| async move {
        let mut hello = [0; 1024];
        let _read = stream.read(&mut hello).await;
        let _written = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let hangs_up = accepts(|mut stream| async move {
        let mut hello = [0; 4096];
        let _read = stream.read(&mut hello).await;
    })
    .await;
    let client = client(quick());
    for address in [speaks_plain, hangs_up] {
        let result = get(&client, &format!("https://{address}/")).send().await;
        assert_eq!(not_sent(result), NotSent::Tls);
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let client = client(quick());
    let result = get(&client, &format!("https://{address}/")).send().await;
    assert_eq!(not_sent(result), NotSent::ConnectTimeout);
    drop(listener);
}

#[tokio::test]
async fn an_unusable_header_is_surely_not_sent() {
    let client = client(quick());
    let request = get(&client, "http://127.0.0.1/").bearer(&"to\nken".into());
    assert_eq!(not_sent(request.send().await), NotSent::Invalid);
}

#[tokio::test]
async fn silence_after_the_request_is_unknown() {
    let address = raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = client(quick());
    let request = get(&client, &format!("http://{address}/"));
    let result = request.deadline(Duration::from_millis(200)).send().await;
    assert_eq!(unknown(result), Unknown::Deadline);
}

#[tokio::test]
async fn a_hang_up_after_the_request_is_unknown() {
    let address = raw(|stream| async move { drop(stream) }).await;
    let client = client(quick());
    let result = get(&client, &format!("http://{address}/")).send().await;
    assert_eq!(unknown(result), Unknown::ConnectionLost);
}

#[tokio::test]
async fn a_cut_answer_is_unknown() {
    let address = says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"messages\":").await;
    let client = client(quick());
    let result = get(&client, &format!("http://{address}/")).send().await;
    let status = StatusCode::OK;
    assert_eq!(unknown(result), Unknown::BodyCut { status });
}

#[tokio::test]
async fn an_answer_that_drips_forever_meets_the_deadline() {
    let address = raw(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut next: &[u8] = head;
        while stream.write_all(next).await.is_ok() {
            next = b"1\r\nx\r\n";
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let client = client(quick());
    let request = get(&client, &format!("http://{address}/"));
    let result = request.deadline(Duration::from_millis(200)).send().await;
    assert_eq!(unknown(result), Unknown::Deadline);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_abandoned() {
    let announced = says(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx").await;
    let endless = raw(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut next: &[u8] = head;
        while stream.write_all(next).await.is_ok() {
            next = b"8\r\nxxxxxxxx\r\n";
        }
    })
    .await;
    let client = client(quick());
    for address in [announced, endless] {
        let request = get(&client, &format!("http://{address}/"));
        let result = request.max_response_bytes(1000).send().await;
        let (status, limit) = (StatusCode::OK, 1000);
        assert_eq!(unknown(result), Unknown::BodyTooLarge { status, limit });
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let address = says(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let client = client(quick());
    let result = get(&client, &format!("http://{address}/")).send().await;
    assert_eq!(result.expect("an answer").status(), StatusCode::FOUND);
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_unknown() {
    let address = says(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>").await;
    let client = client(quick());
    let response = get(&client, &format!("http://{address}/")).send().await;
    let error = response.expect("an answer").json::<serde_json::Value>();
    let status = StatusCode::OK;
    assert!(matches!(
        error,
        Err(Error::Unknown { reason: Unknown::Undecodable { status: s }, .. }) if s == status
    ));
}

#[tokio::test]
async fn an_open_circuit_is_surely_not_sent_and_says_when() {
    install_tls();
    let (clock, hand) = clock::Clock::manual(chrono::DateTime::UNIX_EPOCH);
    let config = outbound::Config {
        breaker: Some(breaker::Settings {
            minimum_calls: 3,
            ..breaker::Settings::default()
        }),
        ..quick()
    };
    let client = Client::new("test", config, clock).expect("a client");
    let broken = says(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await;
    let broken = format!("http://{broken}/");
    for _ in 0..3 {
        let response = get(&client, &broken).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let five = Duration::from_secs(5);
    let held = get(&client, &broken).send().await;
    assert_eq!(not_sent(held), NotSent::CircuitOpen { retry_after: five });
    hand.advance(five);
    let working = says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    for _ in 0..3 {
        let response = get(&client, &format!("http://{working}/")).send().await;
        assert_eq!(response.expect("a probe").status(), StatusCode::BAD_REQUEST);
    }
    assert!(get(&client, &broken).send().await.is_ok(), "closed again");
}

#[tokio::test]
async fn errors_and_debug_output_do_not_show_paths_queries_or_tokens() {
    let address = raw(|stream| async move { drop(stream) }).await;
    let client = client(quick());
    let request = get(
        &client,
        &format!("http://{address}/hooks/s3cret-path?token=s3cret-query"),
    )
    .bearer(&"s3cret-token".into());
    let error = request.send().await.expect_err("a failure");
    for text in [errors::chain(&error), format!("{error:?}")] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    let request = get(&client, "http://127.0.0.1/s3cret-path?token=s3cret-query")
        .bearer(&"s3cret-token".into())
        .body("s3cret-body");
    assert!(!format!("{request:?}").contains("s3cret"));
}

#[tokio::test]
async fn answers_and_their_errors_do_not_show_what_they_hold() {
    let address = says(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: s3cret\r\nContent-Length: 15\r\n\r\n{\"id\":\"s3cret\"}",
    )
    .await;
    let client = client(quick());
    let address = format!("http://{address}/hooks/s3cret-path?token=s3cret-query");
    let streaming = get(&client, &address).stream().await.expect("an answer");
    assert!(!format!("{streaming:?}").contains("s3cret"));
    let response = streaming.collect().await.expect("an answer");
    assert!(!format!("{response:?}").contains("s3cret"));
    let error = response
        .json::<HashMap<String, u64>>()
        .expect_err("the id is no number");
    for text in [errors::chain(&error), format!("{error:?}")] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert!(
        errors::chain(&error).contains("line 1, column 14"),
        "{error:?}"
    );
}
