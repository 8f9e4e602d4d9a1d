use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, routing::get};
use chassis::RequestId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

use crate::support::{Plan, Running, browser, eventually, get as fetch, http2};

fn routes() -> Router {
    let peer =
        |ConnectInfo(peer): ConnectInfo<std::net::SocketAddr>| async move { peer.ip().to_string() };
    let panicking = || async {
        assert!(
            std::env::args().len() > 1_000,
            "card 4111111111111111 declined"
        );
    };
    Router::new()
        .route("/items/{id}", get(|| async { "an item" }))
        .route("/panic", get(panicking))
        .route("/peer", get(peer))
        .route(
            "/id",
            get(|id: axum::Extension<RequestId>| async move { id.as_str().to_owned() }),
        )
}

fn plan() -> Plan {
    Plan {
        http: Some(routes()),
        ..Plan::default()
    }
}

#[tokio::test]
async fn every_request_has_an_id_that_the_answer_repeats() {
    let running = Running::new(plan()).await;
    let ask = |id: &'static str| {
        let request = browser().get(running.http("/id"));
        async move {
            let answer = request
                .header("x-request-id", id)
                .send()
                .await
                .expect("an answer");
            let header = answer.headers()["x-request-id"]
                .to_str()
                .expect("text")
                .to_owned();
            let body = answer.text().await.expect("a body");
            assert_eq!(header, body);
            body
        }
    };
    assert_eq!(ask("req-1").await, "req-1");
    assert_ne!(ask("not a sound id").await, "not a sound id");
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_panicking_handler_is_an_internal_error_and_the_next_request_is_fine() {
    let running = Running::new(plan()).await;
    let answer = browser()
        .get(running.http("/panic"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["status"], &body["code"]),
        (&500.into(), &"internal".into())
    );
    assert!(body["request_id"].is_string() && !body.to_string().contains("4111"));
    assert_eq!(fetch(running.http("/items/1")).await.0, 200);
    assert!(running.host.shutdown().await.is_success());
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    let running = Running::new(plan()).await;
    for path in [
        "/items/1?token=hunter2",
        "/items/2",
        "/nowhere/hunter2",
        "/panic",
    ] {
        fetch(running.http(path)).await;
    }
    eventually("all are counted", || async {
        running.metrics().await.contains("http_route=\"/panic\"")
    })
    .await;
    let metrics = running.metrics().await;
    let count = |labels: &str| {
        metrics
            .lines()
            .find(|line| {
                line.starts_with("http_server_request_duration_seconds_count")
                    && line.contains(labels)
            })
            .and_then(|line| line.rsplit(' ').next().map(str::to_owned))
    };
    assert_eq!(
        count("http_route=\"/items/{id}\"").as_deref(),
        Some("2"),
        "{metrics}"
    );
    assert_eq!(count("http_route=\"unmatched\"").as_deref(), Some("1"));
    assert_eq!(
        count("http_response_status_code=\"500\"").as_deref(),
        Some("1")
    );
    assert!(!metrics.contains("hunter2"));
    assert!(metrics.contains("server_active_requests"));
    running.host.shutdown().await;
}

/// What the server says, or an empty text if it closes the connection.
async fn talk(running: &Running, words: &[u8]) -> String {
    let address = running.addresses.http.expect("serves HTTP");
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(words).await.expect("write");
    let mut heard = Vec::new();
    let listening = stream.read_to_end(&mut heard);
    let closed = tokio::time::timeout(Duration::from_secs(5), listening).await;
    assert!(
        closed.is_ok_and(|read| read.is_ok()),
        "the server closes the connection"
    );
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn clients_that_send_nothing_or_too_slowly_are_cut_off() {
    let running = Running::with(plan(), |_, base| base.http.header_timeout_ms = 300).await;
    assert_eq!(talk(&running, b"").await, "");
    let half = talk(&running, b"GET /items/1 HTTP/1.1\r\nhost: x\r\n").await;
    assert!(half.is_empty() || half.contains("408"), "{half}");
    assert_eq!(fetch(running.http("/items/1")).await.0, 200);
    running.host.shutdown().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let running = Running::with(plan(), |_, base| base.http.max_connections = 1).await;
    let address = running.addresses.http.expect("serves HTTP");
    let mut first = TcpStream::connect(address).await.expect("connect");
    let request = b"GET /items/1 HTTP/1.1\r\nhost: x\r\n\r\n";
    first.write_all(request).await.expect("write");
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    let waiting = fetch(running.http("/items/2"));
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(early.is_err(), "there is no place");
    drop(first);
    assert_eq!(waiting.await.0, 200);
    running.host.shutdown().await;
}

#[tokio::test]
async fn handlers_can_see_who_is_calling() {
    let running = Running::new(plan()).await;
    assert_eq!(fetch(running.http("/peer")).await.1, "127.0.0.1");
    running.host.shutdown().await;
}

#[tokio::test]
async fn one_connection_has_a_hundred_requests_under_way_at_most() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let (counted, highest, opened) = (Arc::clone(&under_way), Arc::clone(&most), Arc::clone(&gate));
    let route = get(move || {
        let (counted, highest) = (Arc::clone(&counted), Arc::clone(&highest));
        let opened = Arc::clone(&opened);
        async move {
            let now = counted.fetch_add(1, Ordering::Relaxed) + 1;
            highest.fetch_max(now, Ordering::Relaxed);
            drop(opened.acquire().await);
            counted.fetch_sub(1, Ordering::Relaxed);
        }
    });
    let running = Running::new(Plan {
        http: Some(Router::new().route("/gated", route)),
        ..Plan::default()
    })
    .await;
    let client = http2();
    let url = running.http("/gated");
    // The first answer brings the server's limit along.
    gate.add_permits(1);
    client.get(&url).send().await.expect("an answer");
    gate.acquire().await.expect("open").forget();
    let requests = (0..120).map(|_| client.get(&url).send());
    let release = async {
        let full = || std::future::ready(under_way.load(Ordering::Relaxed) >= 100);
        eventually("a hundred requests are under way", full).await;
        gate.add_permits(1);
    };
    let (answers, ()) = tokio::join!(futures::future::join_all(requests), release);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::Relaxed), 100);
    running.host.shutdown().await;
}
