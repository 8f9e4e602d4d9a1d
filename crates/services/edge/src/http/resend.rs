//! `/webhooks/resend`: what Resend calls, through Svix.

use std::{net::SocketAddr, sync::Arc};

use axum::extract::{ConnectInfo, Request, State};
use http::{HeaderMap, StatusCode};
use resend::webhook::{
    Headers, ID_HEADER, SIGNATURE_HEADER, SignatureError, SigningSecrets, TIMESTAMP_HEADER,
};

use super::{Edge, accept, body};
use crate::{
    error::Error,
    metrics::Provider,
    ops::receive_webhook::{LARGE_BODY, Stored},
};

/// Standard Webhooks recommends less than 20 kB. Not more than what is verified without a thread of its own.
const MAX_BODY_BYTES: usize = LARGE_BODY;

/// POST: a delivery. 200 means that it is durable.
pub(super) async fn receive(
    State(edge): State<Arc<Edge>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<StatusCode, Error> {
    let secrets = edge.resend.as_ref().ok_or(Error::NotSetUp)?;
    let _under_way = edge.intake.begin();
    let result = accept(&edge, secrets, peer, request).await;
    edge.metrics
        .webhook(Provider::Resend, accept::fate(&result));
    result.map(|_| StatusCode::OK)
}

async fn accept(
    edge: &Edge,
    secrets: &SigningSecrets,
    peer: SocketAddr,
    request: Request,
) -> Result<Stored, Error> {
    let (head, body) = request.into_parts();
    let unverified = accept::let_in(edge, peer.ip(), &head.headers)?;
    let signed = signed(&head.headers).map_err(Error::ResendSignature)?;
    let (body, room) = body::read(&head.headers, body, MAX_BODY_BYTES, &edge.body).await?;
    let webhook = edge
        .intake
        .verify_resend(secrets, signed, body)
        .map_err(Error::ResendSignature)?;
    drop(unverified);
    accept::keep(edge, webhook, room).await
}

/// The three headers, before a body is read for somebody who lacks one.
fn signed(headers: &HeaderMap) -> Result<Headers<'_>, SignatureError> {
    Ok(Headers {
        id: Some(only(headers, ID_HEADER)?),
        timestamp: Some(only(headers, TIMESTAMP_HEADER)?),
        signature: Some(only(headers, SIGNATURE_HEADER)?),
    })
}

/// The one value. A second would be a second try.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h [u8], SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        (None, _) => Err(SignatureError::Missing),
        (Some(_), Some(_)) => Err(SignatureError::Malformed),
    }
}
