use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming};
use hyper_util::{rt::TokioIo, server::conn::auto, service::TowerToHyperService};
use tokio::net::TcpStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::Tasks;

/// Runs the streams of HTTP/2 connections as tracked tasks: waited for, and dropped when the
/// grace is over.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    tracker: TaskTracker,
    hard: CancellationToken,
}

impl Tracked {
    pub(super) fn new(tasks: &Tasks) -> Self {
        Self {
            tracker: tasks.tracker().clone(),
            hard: tasks.shutdown().hard.clone(),
        }
    }
}

impl<F> hyper::rt::Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let hard = self.hard.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                _ = stream => {}
                () = hard.cancelled() => {}
            }
        });
    }
}

/// One client's connection.
pub(super) struct Connection {
    pub(super) builder: Arc<auto::Builder<Tracked>>,
    pub(super) routes: Router,
    pub(super) stop: CancellationToken,
    pub(super) hard: CancellationToken,
    pub(super) header_timeout: Duration,
    pub(super) max_age: Option<Duration>,
}

impl Connection {
    /// Serves the connection until the client goes, the server stops, or a limit is reached.
    pub(super) async fn run(self, stream: TcpStream) {
        let Ok(peer) = stream.peer_addr() else {
            return;
        };
        let asked = Arc::new(AtomicBool::new(false));
        let has_asked = Arc::clone(&asked);
        let service = self
            .routes
            .map_request(move |mut request: Request<Incoming>| {
                has_asked.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(ConnectInfo(peer));
                request
            });
        let service = TowerToHyperService::new(service);
        let mut connection = pin!(
            self.builder
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
        );
        // hyper times the headers of a request, but not the silence before it knows the protocol.
        let mut silence = pin!(tokio::time::sleep(self.header_timeout));
        let mut silence_over = false;
        let mut old = pin!(age(self.max_age));
        let mut ending = false;
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        // A client that went away: the usual case, and nothing to act on.
                        tracing::trace!(error = %error, "connection ended");
                    }
                    return;
                }
                () = self.hard.cancelled() => return,
                () = self.stop.cancelled(), if !ending => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut old, if !ending => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut silence, if !silence_over => {
                    silence_over = true;
                    if !asked.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        }
    }
}

async fn age(max: Option<Duration>) {
    match max {
        Some(max) => tokio::time::sleep(max).await,
        None => std::future::pending().await,
    }
}
