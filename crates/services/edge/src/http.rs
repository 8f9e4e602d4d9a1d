//! The public HTTP surface.

mod accept;
mod body;
mod door;
mod resend;
mod whatsapp;

use std::sync::Arc;

use ::resend::webhook::SigningSecrets;
use axum::{
    Router,
    routing::{get, post},
};
use sb_http::{Border, client::Network};

pub(crate) use body::BodyTerms;
pub(crate) use door::Door;
pub(crate) use whatsapp::MAX_BODY_BYTES;

use crate::{domain::apps::Apps, metrics::Metrics, ops::receive_webhook::Intake};

/// What requests share.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) apps: Apps,
    /// `None` when webhooks of Resend are not set up.
    pub(crate) resend: Option<SigningSecrets>,
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
        .route("/webhooks/resend", post(resend::receive))
        .with_state(edge)
        .layer(Border)
}
