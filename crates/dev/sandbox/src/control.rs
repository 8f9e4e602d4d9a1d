//! What the control APIs of all providers have in common.

mod body;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::meta::HandshakeError;
pub(crate) use body::{Body, patched};

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
    pub(crate) fn unknown(what: &str, id: &str) -> Self {
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
pub(crate) type Answer = Result<Response, ControlError>;

pub(crate) fn created(value: impl Serialize) -> Response {
    (StatusCode::CREATED, Json(value)).into_response()
}

pub(crate) fn ok(value: impl Serialize) -> Response {
    Json(value).into_response()
}
