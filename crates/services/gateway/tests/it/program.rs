//! The gateway on a port, inside the chassis that runs it.

use std::net::SocketAddr;

use chassis::Base;
use gateway::App;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{SOON, World};

/// A request over a connection of its own; the whole answer.
async fn ask(address: SocketAddr, head: &str) -> String {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let request = format!("{head}\r\nhost: api\r\nconnection: close\r\n\r\n");
    connection
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut answer = String::new();
    tokio::time::timeout(SOON, connection.read_to_string(&mut answer))
        .await
        .expect("an answer in time")
        .expect("an answer");
    answer
}

async fn ready(world: &World) {
    let waiting = async {
        while !world.host.is_ready() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, waiting)
        .await
        .expect("readiness");
}

#[tokio::test]
async fn it_becomes_ready_with_the_signing_keys_and_answers_problems_with_one_request_id() {
    let mut world = World::start().await;
    let config = world.config.clone();
    let addresses = world
        .host
        .add::<App>(&Base::for_tests(), config)
        .await
        .expect("a gateway");
    let http = addresses.http.expect("an address");
    assert_eq!(addresses.grpc, None);
    ready(&world).await;
    assert!(!world.script.seen_of("GetJwks").is_empty());

    let answer = ask(
        http,
        "GET /v1/conversations HTTP/1.1\r\nx-request-id: abc-1",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("x-request-id: abc-1"), "{answer}");
    assert!(answer.contains(r#""request_id":"abc-1""#), "{answer}");
    assert!(
        answer.contains("content-type: application/problem+json"),
        "{answer}"
    );

    let made = ask(http, "GET /nothing HTTP/1.1").await;
    assert!(made.starts_with("HTTP/1.1 404"), "{made}");
    let id = made
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .expect("an id");
    assert!(made.contains(&format!(r#""request_id":"{id}""#)), "{made}");

    let method = ask(http, "PATCH /v1/conversations HTTP/1.1").await;
    assert!(method.starts_with("HTTP/1.1 405"), "{method}");
    assert!(method.to_lowercase().contains("allow: "), "{method}");
}

#[tokio::test]
async fn it_stops_in_order_while_streams_are_open() {
    let mut world = World::start().await;
    let config = world.config.clone();
    let addresses = world
        .host
        .add::<App>(&Base::for_tests(), config)
        .await
        .expect("a gateway");
    let http = addresses.http.expect("an address");
    ready(&world).await;
    let token = world.agent_token();
    let mut stream = TcpStream::connect(http).await.expect("a connection");
    let request =
        format!("GET /v1/events HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut begun = vec![0; 1024];
    let read = stream.read(&mut begun).await.expect("a beginning");
    assert!(begun[..read].starts_with(b"HTTP/1.1 200"));

    let outcome = tokio::time::timeout(SOON, world.host.shutdown())
        .await
        .expect("an end");
    assert!(outcome.is_success());
    assert_eq!(outcome.dropped, 0);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.expect("the rest");
    assert!(rest.contains("retry: "), "{rest}");
}

#[tokio::test]
async fn it_is_not_ready_without_the_signing_keys() {
    let mut world = World::start().await;
    world.kill_identity().await;
    let config = world.config.clone();
    let added = world.host.add::<App>(&Base::for_tests(), config).await;
    assert!(added.is_ok(), "it starts: {added:?}");
    let probed = world.host.examine().await;
    assert!(
        matches!(probed[..], [("identity.keys", Err(_))]),
        "{probed:?}"
    );
    assert!(!world.host.is_ready());
}
