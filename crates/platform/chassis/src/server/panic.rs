use std::any::Any;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use errors::{Problem, codes};
use http::{HeaderValue, header};

use crate::{request, tasks::panic_text};

type Panic = Box<dyn Any + Send + 'static>;

/// The caller learns that it is our fault, the log learns what it was.
#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
pub(super) fn http(panic: Panic) -> Response {
    report(&panic);
    let mut problem = Problem::new(&codes::INTERNAL);
    problem.request_id = request::request_id().map(|id| id.as_str().to_owned());
    let mut response = (problem.http_status(), Json(problem)).into_response();
    let problem = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, problem);
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
pub(super) fn grpc(panic: Panic) -> http::Response<Body> {
    report(&panic);
    errors::status_of(&codes::INTERNAL).into_http()
}

fn report(panic: &Panic) {
    tracing::error!(
        panic.message = panic_text(&**panic),
        "request handler panicked"
    );
}
