use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{rt::TokioTimer, server::conn::auto};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Tracked};
use crate::{
    Tasks,
    base::{GrpcListen, Listen},
};

/// After a failed accept, usually for want of file descriptors: give connections time to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A dead peer is noticed within the sum of the two.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests at once on one connection of a public server, where one client is one of many.
const HTTP_STREAMS: u32 = 100;
/// Calls at once on one connection of another service, which has no more than one.
const GRPC_STREAMS: u32 = 1_024;
/// Many small messages share a connection: the default window of 64 KiB would stall them.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// What one server allows.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    max_connections: usize,
    header_timeout: Duration,
    /// Connections older than this are asked to reconnect, which spreads callers over new
    /// replicas; `None` leaves them alone.
    max_age: Option<Duration>,
    /// Requests at once on one HTTP/2 connection.
    max_streams: u32,
    http2_only: bool,
}

impl Limits {
    pub(crate) fn http(listen: &Listen) -> Self {
        Self {
            max_connections: listen.max_connections,
            header_timeout: listen.header_timeout(),
            max_age: None,
            max_streams: HTTP_STREAMS,
            http2_only: false,
        }
    }

    pub(crate) fn grpc(listen: &GrpcListen, max_age: Duration) -> Self {
        Self {
            max_age: Some(max_age),
            max_streams: GRPC_STREAMS,
            http2_only: true,
            ..Self::http(&listen.server())
        }
    }
}

/// Accepts connections until `stop`, then asks those there are to finish. Connections are tracked
/// by `tasks`, so the process waits for them, and drops them when its grace is over.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    stop: CancellationToken,
    tasks: Tasks,
) {
    let builder = Arc::new(builder(&limits, &tasks));
    let places = Arc::new(Semaphore::new(limits.max_connections));
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = accept(&listener, &places) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = errors::chain(&error), "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            builder: Arc::clone(&builder),
            routes: routes.clone(),
            stop: stop.clone(),
            hard: tasks.shutdown().hard.clone(),
            header_timeout: limits.header_timeout,
            max_age: limits.max_age,
        };
        tasks.tracker().spawn(async move {
            connection.run(stream).await;
            drop(place);
        });
    }
}

/// Waits for a place first: when all are taken, clients queue in the kernel instead of here.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

fn builder(limits: &Limits, tasks: &Tasks) -> auto::Builder<Tracked> {
    let mut builder = auto::Builder::new(Tracked::new(tasks));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(limits.max_streams)
        .initial_connection_window_size(CONNECTION_WINDOW);
    if limits.http2_only {
        builder.http2_only()
    } else {
        builder
    }
}
