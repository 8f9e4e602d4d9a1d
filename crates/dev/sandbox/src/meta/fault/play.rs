//! How a scripted failure looks from outside.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tokio_util::sync::CancellationToken;

use super::{Fault, FaultKind};
use crate::{
    faults::{TRUNCATED_AT, bad_gateway, garbage, hang},
    meta::{
        error::GraphError,
        number::{pair_exhausted, throughput_exhausted},
    },
    server::connection::Wire,
};

/// Plays a fault whose call is not accepted. `Err` is a refusal to be answered and booked as usual.
pub(in crate::meta) async fn answer_without_accepting(
    fault: &Fault,
    wire: &Wire,
    stop: &CancellationToken,
) -> Result<Response, GraphError> {
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
        FaultKind::ThroughputLimit => Err(throughput_exhausted()),
        FaultKind::PairRateLimit => Err(pair_exhausted()),
        FaultKind::TokenExpired => Err(GraphError::expired_token()),
        FaultKind::Http429 => Err(graph_error(fault, 4, Some(StatusCode::TOO_MANY_REQUESTS))),
        FaultKind::ServerErrorBeforeAccept => Err(graph_error(
            fault,
            131_000,
            Some(StatusCode::INTERNAL_SERVER_ERROR),
        )),
        _ => Err(graph_error(fault, 1, None)),
    }
}

/// Spoils the answer of a call that was accepted.
pub(in crate::meta) async fn disturb(
    fault: &Fault,
    response: Response,
    trace_id: &str,
    wire: &Wire,
    stop: &CancellationToken,
) -> Response {
    match fault.kind {
        FaultKind::TimeoutAfterAccept => {
            hang(fault.delay_ms.unwrap_or(60_000), stop).await;
            wire.cut_after(0);
            response
        }
        FaultKind::SlowResponse => {
            hang(fault.delay_ms.unwrap_or(1_000), stop).await;
            response
        }
        FaultKind::ServerErrorAfterAccept => {
            graph_error(fault, 1, Some(StatusCode::INTERNAL_SERVER_ERROR)).response(trace_id)
        }
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
        FaultKind::Html502AfterAccept => bad_gateway(),
        _ => response,
    }
}

/// A graph error with the fault's own code, status, subcode and details where it has them.
fn graph_error(fault: &Fault, code: u32, status: Option<StatusCode>) -> GraphError {
    let mut error = GraphError::of(fault.code.unwrap_or(code));
    error.subcode = fault.subcode;
    error.details.clone_from(&fault.details);
    let asked = fault
        .http_status
        .and_then(|status| StatusCode::from_u16(status).ok());
    if let Some(status) = asked.or(status) {
        error.status = status;
    }
    error
}
