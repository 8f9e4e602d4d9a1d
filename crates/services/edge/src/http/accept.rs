//! What the addresses of all providers do with a delivery.

use std::net::IpAddr;

use http::{HeaderMap, header};
use sb_http::client;
use tokio::sync::OwnedSemaphorePermit;

use super::{Edge, door::Guest};
use crate::{
    domain::webhook::Webhook,
    error::Error,
    metrics::Fate,
    ops::receive_webhook::{NotStored, Stored},
};

/// Lets a request in that has proved nothing yet, and refuses what costs nothing to refuse. A body is never
/// decompressed for a stranger.
pub(super) fn let_in(edge: &Edge, peer: IpAddr, headers: &HeaderMap) -> Result<Guest, Error> {
    let address = client::address(peer, headers, &edge.trusted_proxies);
    let guest = edge
        .door
        .enter(client::customer(address))
        .ok_or(Error::Crowded)?;
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Error::Compressed);
    }
    Ok(guest)
}

/// Waits until a verified delivery is durable.
pub(super) async fn keep(
    edge: &Edge,
    webhook: Webhook,
    room: Option<OwnedSemaphorePermit>,
) -> Result<Stored, Error> {
    let (id, size, origin) = (webhook.id, webhook.body.len(), webhook.origin.to_string());
    let stored = edge
        .intake
        .store(webhook, room)
        .await
        .map_err(Error::NotStored)?;
    tracing::debug!(webhook.id = %id, webhook.origin = origin, size_bytes = size, ?stored, "webhook accepted");
    Ok(stored)
}

pub(super) fn fate(result: &Result<Stored, Error>) -> Fate {
    match result {
        Ok(Stored::New) => Fate::Stored,
        Ok(Stored::Before) => Fate::Repeated,
        Err(Error::Signature(_) | Error::ResendSignature(_)) => Fate::Unsigned,
        Err(Error::Crowded | Error::NotStored(NotStored::QueueFull)) => Fate::Crowded,
        Err(Error::NotStored(NotStored::Stopping)) => Fate::Stopping,
        Err(Error::NotStored(NotStored::Failed | NotStored::TooSlow)) => Fate::Failed,
        Err(
            Error::Body(_)
            | Error::Compressed
            | Error::AppUnknown
            | Error::NotSetUp
            | Error::Verification(_),
        ) => Fate::Unreadable,
    }
}
