//! `/webhooks/whatsapp/{app}`: what Meta calls.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Path, RawQuery, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use sb_http::client;
use whatsapp::signature::{self, SignatureError};

use super::{Edge, body};
use crate::{
    domain::apps::App,
    error::Error,
    metrics::Fate,
    ops::{
        receive_webhook::{NotStored, Stored},
        verify_subscription::verify_subscription,
    },
};

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
    edge.metrics.webhook(app.name(), fate(&result));
    result.map(|_| StatusCode::OK)
}

/// What costs nothing is refused first; the body is read last, and never decompressed.
async fn accept(
    edge: &Edge,
    app: &Arc<App>,
    peer: SocketAddr,
    request: Request,
) -> Result<Stored, Error> {
    let (head, body) = request.into_parts();
    let address = client::address(peer.ip(), &head.headers, &edge.trusted_proxies);
    let unverified = edge
        .door
        .enter(client::customer(address))
        .ok_or(Error::Crowded)?;
    if head.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Error::Compressed);
    }
    let signature = signature(&head.headers).map_err(Error::Signature)?;
    let (body, room) = body::read(&head.headers, body, &edge.body).await?;
    let webhook = edge
        .intake
        .verify(app, signature, body)
        .await
        .map_err(Error::Signature)?;
    drop(unverified);
    let (id, size) = (webhook.id, webhook.body.len());
    let stored = edge
        .intake
        .store(webhook, room)
        .await
        .map_err(Error::NotStored)?;
    tracing::debug!(webhook.id = %id, webhook.app = &**app.name(), size_bytes = size, ?stored, "webhook accepted");
    Ok(stored)
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

fn fate(result: &Result<Stored, Error>) -> Fate {
    match result {
        Ok(Stored::New) => Fate::Stored,
        Ok(Stored::Before) => Fate::Repeated,
        Err(Error::Signature(_)) => Fate::Unsigned,
        Err(Error::Crowded | Error::NotStored(NotStored::QueueFull)) => Fate::Crowded,
        Err(Error::NotStored(NotStored::Stopping)) => Fate::Stopping,
        Err(Error::NotStored(NotStored::Failed | NotStored::TooSlow)) => Fate::Failed,
        Err(Error::Body(_) | Error::Compressed | Error::AppUnknown | Error::Verification(_)) => {
            Fate::Unreadable
        }
    }
}
