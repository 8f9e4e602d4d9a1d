//! The control API: what tests and demos say to the sandbox, under `/_sandbox`.

mod records;
mod register;
mod scenario;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post},
};
use serde_json::json;

use super::Meta;
use crate::control::ControlError;

/// Largest control request: a file in base64, mostly.
const BODY_LIMIT: usize = 64 << 20;

/// Mounted at `/_sandbox`.
pub(crate) fn router(meta: Meta) -> Router {
    Router::new()
        .route("/health", get(async || Json(json!({"status": "ok"}))))
        .route("/setup", post(register::set_up))
        .route("/apps", post(register::app))
        .route("/wabas", post(register::account))
        .route("/wabas/{id}/templates", post(register::template))
        .route("/phone_numbers", post(register::number))
        .route(
            "/phone_numbers/{id}",
            get(register::read_number).patch(register::change_number),
        )
        .route("/tokens", post(register::token))
        .route("/tokens/revoke", post(register::revoke_token))
        .route(
            "/customers/{phone}",
            get(scenario::customer).patch(scenario::change_customer),
        )
        .route("/customers/{phone}/messages", post(scenario::write))
        .route("/statuses", post(scenario::status))
        .route("/webhooks", post(scenario::raw))
        .route(
            "/faults",
            get(scenario::faults)
                .post(scenario::script)
                .delete(scenario::clear_faults),
        )
        .route("/faults/{id}", delete(scenario::remove_fault))
        .route(
            "/settings",
            get(scenario::settings).patch(scenario::change_settings),
        )
        .route("/ledger", get(records::all).delete(records::clear))
        .route("/ledger/counters", get(records::counters))
        .route("/ledger/sends", get(records::sends))
        .route("/ledger/rejections", get(records::rejections))
        .route("/ledger/deliveries", get(records::deliveries))
        .route("/ledger/read_marks", get(records::read_marks))
        .route("/reset", post(scenario::reset))
        .fallback(async || ControlError::Unknown("there is no such control path".into()))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(meta)
}
