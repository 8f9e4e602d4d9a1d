//! Errors in the shape and with the names Resend uses.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

/// A refusal by Resend.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) name: String,
    pub(super) message: String,
}

impl ApiError {
    /// `name` with its usual status.
    pub(super) fn of(name: &str, message: impl Into<String>) -> Self {
        Self {
            status: usual_status(name),
            name: name.to_owned(),
            message: message.into(),
        }
    }

    pub(super) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A field is there and not acceptable.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::of("validation_error", message)
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::of(
            "missing_required_field",
            format!("Missing `{field}` field."),
        )
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::of("not_found", message)
    }

    pub(super) fn too_fast(limit: u32) -> Self {
        let message = format!("Too many requests. You can only make {limit} requests per second.");
        Self::of("rate_limit_exceeded", message)
    }

    pub(super) fn quota(period: &str) -> Self {
        let message = format!("You have reached your {period} email sending quota.");
        Self::of(&format!("{period}_quota_exceeded"), message)
    }

    pub(super) fn response(&self) -> Response {
        let body = json!({
            "statusCode": self.status.as_u16(),
            "name": self.name,
            "message": self.message,
        });
        (self.status, Json(body)).into_response()
    }
}

/// The status Resend's list of errors gives for a name.
fn usual_status(name: &str) -> StatusCode {
    match name {
        "invalid_idempotency_key" => StatusCode::BAD_REQUEST,
        "missing_api_key" | "restricted_api_key" => StatusCode::UNAUTHORIZED,
        "invalid_api_key" | "suspended_api_key" | "invalid_permission" => StatusCode::FORBIDDEN,
        "not_found" => StatusCode::NOT_FOUND,
        "method_not_allowed" => StatusCode::METHOD_NOT_ALLOWED,
        "concurrent_idempotent_requests" | "invalid_idempotent_request" | "resource_locked" => {
            StatusCode::CONFLICT
        }
        "rate_limit_exceeded" | "daily_quota_exceeded" | "monthly_quota_exceeded" => {
            StatusCode::TOO_MANY_REQUESTS
        }
        "security_error" => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
        "application_error" | "internal_server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        "service_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
