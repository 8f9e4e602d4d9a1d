//! `/webhooks/whatsapp/{app}`: what Meta calls.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Path, RawQuery, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use whatsapp::signature::{self, SignatureError};

use super::{Edge, accept, body};
use crate::{
    domain::apps::App,
    error::Error,
    metrics::Provider,
    ops::{receive_webhook::Stored, verify_subscription::verify_subscription},
};

/// Meta sends up to 3 MB.
pub(crate) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// GET: Meta asks whether the address is ours. The body of the answer is text, and by the border's header is never
/// taken for anything else.
pub(super) async fn verify(
    State(edge): State<Arc<Edge>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let app = edge.apps.find(&name).ok_or(Error::AppUnknown)?;
    let query = query.unwrap_or_default();
    let challenge = verify_subscription(app, &query).map_err(Error::Verification)?;
    Ok(challenge.into_response())
}

/// POST: a delivery. 200 means that it is durable.
pub(super) async fn receive(
    State(edge): State<Arc<Edge>>,
    Path(name): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<StatusCode, Error> {
    let app = edge.apps.find(&name).ok_or(Error::AppUnknown)?;
    let _under_way = edge.intake.begin();
    let result = accept(&edge, app, peer, request).await;
    let provider = Provider::WhatsApp(Arc::clone(app.name()));
    edge.metrics.webhook(provider, accept::fate(&result));
    result.map(|_| StatusCode::OK)
}

/// The body is read last.
async fn accept(
    edge: &Edge,
    app: &Arc<App>,
    peer: SocketAddr,
    request: Request,
) -> Result<Stored, Error> {
    let (head, body) = request.into_parts();
    let unverified = accept::let_in(edge, peer.ip(), &head.headers)?;
    let signature = signature(&head.headers).map_err(Error::Signature)?;
    let (body, room) = body::read(&head.headers, body, MAX_BODY_BYTES, &edge.body).await?;
    let webhook = edge
        .intake
        .verify(app, signature, body)
        .await
        .map_err(Error::Signature)?;
    drop(unverified);
    accept::keep(edge, webhook, room).await
}

/// The one signature. Several would be a way to try several.
fn signature(headers: &HeaderMap) -> Result<&[u8], SignatureError> {
    let mut values = headers.get_all(signature::HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        (None, _) => Err(SignatureError::Missing),
        (Some(_), Some(_)) => Err(SignatureError::Malformed),
    }
}
