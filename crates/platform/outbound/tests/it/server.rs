//! Servers that misbehave on purpose.

use std::{
    net::SocketAddr,
    sync::{Arc, Once},
    time::Duration,
};

use clock::Clock;
use outbound::{Client, Config, Url};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

static PROVIDER: Once = Once::new();

/// TLS needs a provider once per process; in production the binary installs it.
pub(crate) fn install_tls() {
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("no provider was installed before");
    });
}

pub(crate) fn quick() -> Config {
    Config {
        connect_timeout: Duration::from_millis(500),
        deadline: Duration::from_secs(5),
        jitter_seed: Some(1),
        breaker: None,
        ..Config::default()
    }
}

pub(crate) fn client(config: Config) -> Client {
    install_tls();
    Client::new("test", config, Clock::system()).expect("a client")
}

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// Accepts connections forever and lets `serve` treat each of them from the first byte.
pub(crate) async fn accepts<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    #[expect(
        clippy::disallowed_methods,
        reason = "a test server lives as long as the test's runtime"
    )]
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            serve(stream).await;
        }
    });
    address
}

/// Accepts connections forever and lets `serve` treat each of them after the request's head.
pub(crate) async fn raw<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let serve = Arc::new(serve);
    accepts(move |mut stream| {
        let serve = Arc::clone(&serve);
        async move {
            let mut head = Vec::new();
            let mut buffer = [0; 1024];
            while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => head.extend_from_slice(&buffer[..read]),
                }
            }
            serve(stream).await;
        }
    })
    .await
}

/// Answers every connection with these bytes and closes it.
pub(crate) async fn says(bytes: &'static [u8]) -> SocketAddr {
    raw(move |mut stream| async move {
        let _written = stream.write_all(bytes).await;
    })
    .await
}
