//! Failures that look the same at every provider.

use std::time::Duration;

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use tokio_util::sync::CancellationToken;

/// Bytes of an answer that get through before a reset in its middle: part of the status line.
pub(crate) const TRUNCATED_AT: u64 = 12;
const BAD_GATEWAY_PAGE: &str = "<!DOCTYPE html><html><head><title>Error</title></head><body>\
     <h1>Sorry, something went wrong.</h1><p>We're working on it.</p></body></html>";

pub(crate) fn bad_gateway() -> Response {
    (StatusCode::BAD_GATEWAY, Html(BAD_GATEWAY_PAGE)).into_response()
}

/// Success, and a body that is not JSON.
pub(crate) fn garbage() -> Response {
    "}{ not what you were promised \u{1f4a5}".into_response()
}

/// Network slowness is real time, not the sandbox clock's: the caller's deadline is real too.
pub(crate) async fn hang(delay_ms: u64, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(delay_ms)) => {}
        () = stop.cancelled() => {}
    }
}
