//! Serving HTTP and gRPC: one accept loop for both, with limits on connections and slow clients,
//! an ordered end, and every request traced, measured and kept from taking the process down.

mod accept;
mod body;
mod connection;
pub(crate) mod deadline;
mod grpc;
mod grpc_health;
mod instruments;
mod observe;
mod panic;

use std::net::SocketAddr;

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use accept::{Limits, serve};
pub(crate) use body::grpc_code;
pub use grpc::Grpc;
pub(crate) use instruments::Instruments;
pub(crate) use observe::{Observer, Protocol};

use crate::{Environment, Health, StartError, base::GrpcListen};

/// Opens a port. With port 0 the system picks one: ask the listener which.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind { address, source })
}

/// The routes of an HTTP server with everything a request must pass around them.
pub(crate) fn http(routes: Router, observer: Observer) -> Router {
    routes
        .layer(CatchPanicLayer::custom(panic::http))
        .layer(middleware::from_fn_with_state(observer, observe::observe))
}

/// The routes of a gRPC server, with health and everything a call must pass around them. Also gives
/// the mirror that keeps the health service up to date.
pub(crate) fn grpc(
    service: Grpc,
    health: Health,
    observer: Observer,
    limits: &GrpcListen,
    environment: Environment,
) -> Result<(Router, grpc_health::Mirror), StartError> {
    let (routes, mirror) = service.finish(health, environment)?;
    let routes = routes
        .layer(CatchPanicLayer::custom(panic::grpc))
        .layer(middleware::from_fn_with_state(
            limits.request_timeout(),
            deadline::enforce,
        ))
        .layer(middleware::from_fn_with_state(observer, observe::observe));
    Ok((routes, mirror))
}
