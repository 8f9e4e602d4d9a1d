//! A network that fails when the test says so.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};
use url::Url;

/// How the network behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As if it were not there.
    Pass,
    /// Every piece of data arrives later, in both directions.
    Delay(Duration),
    /// Nothing arrives, and nobody is told. What was sent meanwhile arrives afterwards.
    BlackHole,
    /// New connections are refused; those that exist go on.
    Refuse,
}

/// Host and port.
type Upstream = (String, u16);

/// Stands between a client and a server. It ends with the test.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    upstream: watch::Sender<Upstream>,
    mode: watch::Sender<Mode>,
    cuts: watch::Sender<u64>,
    _accepting: JoinSet<()>,
}

#[derive(Debug, Clone)]
struct Weather {
    mode: watch::Receiver<Mode>,
    cuts: watch::Receiver<u64>,
}

impl ChaosProxy {
    /// Listens on a free port and passes everything on to the host and port of `upstream`, a URL.
    ///
    /// # Panics
    /// When `upstream` has no port.
    pub async fn start(upstream: &str) -> Self {
        let (upstream, upstream_seen) = watch::channel(host_and_port(upstream));
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (mode, mode_seen) = watch::channel(Mode::Pass);
        let (cuts, cuts_seen) = watch::channel(0);
        let weather = Weather {
            mode: mode_seen,
            cuts: cuts_seen,
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, upstream_seen, weather));
        Self {
            address,
            upstream,
            mode,
            cuts,
            _accepting: accepting,
        }
    }

    /// `url` with the proxy in the server's place.
    ///
    /// # Panics
    /// When it is not a URL.
    pub fn route(&self, url: &str) -> String {
        let mut url = Url::parse(url).expect("a URL");
        url.set_ip_host(self.address.ip())
            .expect("a URL with a host");
        url.set_port(Some(self.address.port()))
            .expect("a URL with a port");
        url.into()
    }

    /// Connects new connections to another server, such as the successor of one that was killed.
    ///
    /// # Panics
    /// When `upstream` has no port.
    pub fn redirect(&self, upstream: &str) {
        self.upstream.send_replace(host_and_port(upstream));
    }

    /// Changes the weather for all connections, present and future.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Resets all connections. New ones can be made at once.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

fn host_and_port(url: &str) -> Upstream {
    let url = Url::parse(url).expect("a URL");
    let host = url.host_str().expect("a host").to_owned();
    (host, url.port().expect("a port"))
}

async fn accept(listener: TcpListener, upstream: watch::Receiver<Upstream>, mut weather: Weather) {
    let address = listener.local_addr().expect("an address");
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let refuse = *weather.mode.borrow_and_update() == Mode::Refuse;
        // Without a listener the system refuses, as it does for a server that is down.
        listener = match (listener, refuse) {
            (_, true) => None,
            (None, false) => Some(
                TcpListener::bind(address)
                    .await
                    .expect("the same port again"),
            ),
            (kept, false) => kept,
        };
        let incoming = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = weather.mode.changed() => if changed.is_err() { return },
            client = incoming => if let Ok((client, _)) = client {
                let upstream = upstream.borrow().clone();
                connections.spawn(connection(client, upstream, weather.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(client: TcpStream, upstream: Upstream, mut weather: Weather) {
    weather.cuts.mark_unchanged();
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    for socket in [&client, &server] {
        let _best_effort = socket.set_nodelay(true);
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mode = weather.mode.clone();
    let pumps = async {
        // Both directions, so that one may be half closed.
        tokio::join!(
            pump(&mut from_client, &mut to_server, mode.clone()),
            pump(&mut from_server, &mut to_client, mode),
        )
    };
    let cut = tokio::select! {
        _ = weather.cuts.changed() => true,
        _ = pumps => false,
    };
    if cut {
        for socket in [from_client.as_ref(), from_server.as_ref()] {
            // Closing then resets the connection instead of ending it politely.
            let _best_effort = socket.set_zero_linger();
        }
    }
}

async fn pump(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await.unwrap_or(0);
        if mode
            .wait_for(|mode| *mode != Mode::BlackHole)
            .await
            .is_err()
        {
            return;
        }
        let delay = match *mode.borrow() {
            Mode::Delay(delay) => delay,
            Mode::Pass | Mode::BlackHole | Mode::Refuse => Duration::ZERO,
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if length == 0 {
            let _closed = to.shutdown().await;
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
