use std::time::{Duration, Instant};

use testkit::{ChaosProxy, Mode, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

const SOON: Duration = Duration::from_secs(10);

/// A server that sends back what it gets, behind a proxy.
async fn echo() -> (ChaosProxy, String, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let upstream = format!("tcp://{}", listener.local_addr().expect("an address"));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    let proxy = ChaosProxy::start(&upstream).await;
    let address = proxy
        .route(&upstream)
        .trim_start_matches("tcp://")
        .to_owned();
    (proxy, address, server)
}

async fn ask(stream: &mut TcpStream) -> std::io::Result<u8> {
    stream.write_u8(7).await?;
    stream.read_u8().await
}

#[tokio::test]
async fn weather_changes_for_connections_that_exist() {
    let (proxy, address, _server) = echo().await;
    let mut stream = TcpStream::connect(&address).await.expect("connect");
    assert_eq!(ask(&mut stream).await.expect("an answer"), 7);

    proxy.set(Mode::Delay(Duration::from_millis(40)));
    let asked = Instant::now();
    ask(&mut stream).await.expect("an answer");
    assert!(
        asked.elapsed() >= Duration::from_millis(80),
        "{:?}",
        asked.elapsed()
    );

    proxy.set(Mode::BlackHole);
    let silence = tokio::time::timeout(Duration::from_millis(50), ask(&mut stream)).await;
    assert!(silence.is_err());
    proxy.set(Mode::Pass);
    assert_eq!(stream.read_u8().await.expect("the late answer"), 7);

    proxy.cut();
    eventually(SOON, async || ask(&mut stream).await.is_err()).await;
    let mut again = TcpStream::connect(&address).await.expect("connect");
    ask(&mut again).await.expect("an answer");
}

#[tokio::test]
async fn refused_is_what_a_stopped_server_does() {
    let (proxy, address, _server) = echo().await;
    let mut kept = TcpStream::connect(&address).await.expect("connect");
    ask(&mut kept).await.expect("an answer");
    proxy.set(Mode::Refuse);
    // Whoever was in the queue of the listener is reset.
    eventually(SOON, async || {
        let refused = TcpStream::connect(&address).await.err();
        refused.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    })
    .await;
    ask(&mut kept).await.expect("it goes on");
    proxy.set(Mode::Pass);
    eventually(SOON, async || TcpStream::connect(&address).await.is_ok()).await;
}

#[tokio::test]
async fn a_half_closed_connection_still_answers() {
    let (_proxy, address, _server) = echo().await;
    let mut stream = TcpStream::connect(&address).await.expect("connect");
    stream.write_all(b"last words").await.expect("write");
    stream.shutdown().await.expect("half close");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(answer, "last words");
}

#[tokio::test]
async fn a_successor_gets_the_new_connections() {
    let (proxy, address, _server) = echo().await;
    let successor = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("tcp://{}", successor.local_addr().expect("an address"));
    proxy.redirect(&url);
    let mut client = TcpStream::connect(&address).await.expect("connect");
    let (mut server, _) = successor.accept().await.expect("it comes here");
    server.write_u8(9).await.expect("write");
    assert_eq!(client.read_u8().await.expect("a byte"), 9);
}
