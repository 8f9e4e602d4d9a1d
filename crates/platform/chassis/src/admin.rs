//! The admin server: probes, metrics and the log level, on a port that is never routed to from
//! outside. It comes up first and goes down last.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use http::{StatusCode, header};
use serde_json::json;

use crate::{Telemetry, health::Readiness};

/// A log filter is a line.
const MAX_BODY: usize = 4 * 1024;
/// What a Prometheus server expects of the text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) readiness: Readiness,
    pub(crate) telemetry: Telemetry,
}

impl Admin {
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/loglevel", put(set_log_level).get(log_level))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self)
    }
}

/// Alive: the runtime answers and no task has died. Looks at no dependency, so that an outage of
/// the database restarts nothing.
async fn livez(State(admin): State<Admin>) -> Response {
    match admin.readiness.failure() {
        None => Json(json!({"alive": true})).into_response(),
        Some(failure) => {
            let body = json!({"alive": false, "service": failure.service, "task": failure.task});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let report = admin.readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let text = admin.telemetry.render_metrics();
    ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}

async fn log_level(State(admin): State<Admin>) -> Response {
    match admin.telemetry.log_level() {
        Some(filter) => filter.into_response(),
        None => (StatusCode::NOT_FOUND, "logs are not managed here").into_response(),
    }
}

async fn set_log_level(State(admin): State<Admin>, filter: String) -> Response {
    match admin.telemetry.set_log_level(filter.trim()) {
        Ok(()) => {
            tracing::info!("log filter changed");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, errors::chain(&error)).into_response(),
    }
}
