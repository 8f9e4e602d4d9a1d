//! The public HTTP surface.

mod body;
mod door;
mod whatsapp;

use std::sync::Arc;

use axum::{Router, routing::get};
use sb_http::{Border, client::Network};

pub(crate) use body::{BodyTerms, MAX_BODY_BYTES};
pub(crate) use door::Door;

use crate::{domain::apps::Apps, metrics::Metrics, ops::receive_webhook::Intake};

/// What requests share.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) apps: Apps,
    pub(crate) door: Arc<Door>,
    pub(crate) body: BodyTerms,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) intake: Intake,
    pub(crate) metrics: Metrics,
}

pub(crate) fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route(
            "/webhooks/whatsapp/{app}",
            get(whatsapp::verify).post(whatsapp::receive),
        )
        .with_state(edge)
        .layer(Border)
}
