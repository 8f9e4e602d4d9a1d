//! A problem document as an HTTP answer.

use std::time::Duration;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use errors::{Classify, Code, FieldViolation, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::RequestId;

/// The media type of a problem document (RFC 9457).
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error answer: the document and the headers that belong to it.
///
/// It is complete by itself; behind a [`Border`](crate::Border) the request id is added.
#[derive(Debug, Clone)]
pub struct ProblemResponse {
    problem: Box<Problem>,
    headers: HeaderMap,
}

impl ProblemResponse {
    /// The answer for an entry of the catalogue.
    pub fn new(code: &'static Code) -> Self {
        Problem::new(code).into()
    }

    /// The answer for an error of ours, which is logged on the way as it is for gRPC.
    pub fn of<E: Classify>(error: &E) -> Self {
        Self::from(&errors::to_status(error))
    }

    /// Keeps the HTTP status of an answer that somebody else made.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.problem.status = status.as_u16();
        self
    }

    /// Says what happened this time.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.problem.detail = detail.into();
        self
    }

    /// Names a field, or a header, at fault.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        let violation = FieldViolation::new(field, message);
        self.problem.errors.push(violation);
        self
    }

    /// Adds a header that belongs to the error, such as `Allow`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Says when trying again makes sense; rounded up to whole seconds.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.problem.retry_after = Some(delay.as_secs() + u64::from(delay.subsec_nanos() > 0));
        self
    }

    /// The document.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The headers that belong to the error.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.problem.http_status()
    }

    pub(crate) fn with_request_id(mut self, id: &RequestId) -> Self {
        self.problem.request_id = Some(id.as_str().to_owned());
        self
    }
}

impl From<Problem> for ProblemResponse {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            headers: HeaderMap::new(),
        }
    }
}

impl From<&tonic::Status> for ProblemResponse {
    fn from(status: &tonic::Status) -> Self {
        Problem::from_status(status).into()
    }
}

impl From<tonic::Status> for ProblemResponse {
    fn from(status: tonic::Status) -> Self {
        Self::from(&status)
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&*self.problem)
            .expect("invariant: a problem has only strings, numbers and lists of them");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.problem.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The border writes the body again, with the id of the request.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use errors::codes;

    use super::*;

    #[test]
    fn a_wait_is_told_twice_in_header_and_document() {
        let response = ProblemResponse::new(&codes::RATE_LIMITED)
            .with_retry_after(Duration::from_millis(1_500))
            .into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
}
