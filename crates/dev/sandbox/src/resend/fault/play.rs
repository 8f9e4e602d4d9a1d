//! How a scripted failure looks from outside.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tokio_util::sync::CancellationToken;

use super::{Fault, FaultKind};
use crate::{
    faults::{TRUNCATED_AT, bad_gateway, garbage, hang},
    resend::error::ApiError,
    server::connection::Wire,
};

/// Plays a fault whose call is not accepted. `Err` is a refusal to be answered and booked as usual.
pub(in crate::resend) async fn answer_without_accepting(
    fault: &Fault,
    wire: &Wire,
    stop: &CancellationToken,
) -> Result<Response, ApiError> {
    match fault.kind {
        FaultKind::TimeoutBeforeAccept => {
            hang(fault.delay_ms.unwrap_or(60_000), stop).await;
            wire.cut_after(0);
            Ok(StatusCode::GATEWAY_TIMEOUT.into_response())
        }
        FaultKind::ResetBeforeAccept => {
            wire.cut_after(0);
            Ok(StatusCode::BAD_GATEWAY.into_response())
        }
        FaultKind::Html502 => Ok(bad_gateway()),
        FaultKind::RateLimit => Err(ApiError::too_fast(2)),
        FaultKind::DailyQuota => Err(ApiError::quota("daily")),
        FaultKind::MonthlyQuota => Err(ApiError::quota("monthly")),
        _ => Err(api_error(fault, "application_error")),
    }
}

/// Spoils the answer of a call that was accepted.
pub(in crate::resend) async fn disturb(
    fault: &Fault,
    response: Response,
    wire: &Wire,
    stop: &CancellationToken,
) -> Response {
    match fault.kind {
        FaultKind::TimeoutAfterAccept => {
            hang(fault.delay_ms.unwrap_or(60_000), stop).await;
            wire.cut_after(0);
            response
        }
        FaultKind::ServerErrorAfterAccept => api_error(fault, "internal_server_error").response(),
        FaultKind::ResetAfterAccept => {
            wire.cut_after(0);
            response
        }
        FaultKind::ResetMidResponse => {
            wire.cut_after(TRUNCATED_AT);
            response
        }
        FaultKind::GarbageBody => garbage(),
        FaultKind::EmptyBody => StatusCode::OK.into_response(),
        _ => response,
    }
}

fn api_error(fault: &Fault, usual: &str) -> ApiError {
    let name = fault.name.as_deref().unwrap_or(usual);
    let message = fault.message.as_deref();
    let error = ApiError::of(name, message.unwrap_or("An unexpected error occurred."));
    let asked = fault.http_status;
    match asked.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => error.status(status),
        None => error,
    }
}
