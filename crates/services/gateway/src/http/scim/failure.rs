//! What failed on our side of identity, in SCIM's words: a directory reads no problem documents.

use axum::{body::Body, response::Response};
use errors::Problem;
use http::{HeaderValue, StatusCode, header};
use sb_http::{ForeignError, ProblemResponse};
use serde_json::json;

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
/// RFC 7644, 3.12.
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The problem as SCIM's error document, with its headers.
pub(super) fn response(problem: &ProblemResponse) -> Response {
    let status = match problem.status() {
        // Not one of SCIM's.
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    let document = json!({
        "schemas": [ERROR],
        "status": status.as_str(),
        "detail": detail(problem.problem()),
    });
    let mut response = Response::new(Body::from(document.to_string()));
    *response.status_mut() = status;
    response.extensions_mut().insert(ForeignError);
    let headers = response.headers_mut();
    headers.extend(problem.headers().clone());
    headers.insert(header::CONTENT_TYPE, SCIM_JSON);
    if let Some(seconds) = problem.problem().retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// SCIM has one sentence for everything.
fn detail(problem: &Problem) -> String {
    let fields = problem.errors.iter();
    let fields: Vec<String> = fields
        .map(|wrong| format!("{}: {}", wrong.field, wrong.message))
        .collect();
    if fields.is_empty() {
        return problem.detail.clone();
    }
    format!("{} {}", problem.detail, fields.join("; "))
}
