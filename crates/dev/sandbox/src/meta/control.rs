//! The control API: what tests and demos say to the sandbox, under `/_sandbox`.

mod body;
mod records;
mod register;
mod scenario;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::{HandshakeError, Meta};

/// Largest control request: a file in base64, mostly.
const BODY_LIMIT: usize = 64 << 20;

/// Why a control call was refused.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unknown(String),
    #[error("callback verification failed")]
    Handshake(#[from] HandshakeError),
}

impl ControlError {
    pub(super) fn unknown(what: &str, id: &str) -> Self {
        Self::Unknown(format!("there is no {what} {id}"))
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Handshake(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(&self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        (status, Json(json!({ "error": text }))).into_response()
    }
}

/// The answer of a control call.
type Answer = Result<Response, ControlError>;

fn created(value: impl Serialize) -> Response {
    (StatusCode::CREATED, Json(value)).into_response()
}

fn ok(value: impl Serialize) -> Response {
    Json(value).into_response()
}

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
