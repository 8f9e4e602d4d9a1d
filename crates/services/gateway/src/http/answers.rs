//! What the transcoder answers → what the caller gets.

use axum::{body::Body, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rest_over_grpc::transcoding::{HttpResponse, StreamingResponse};
use sb_http::ProblemResponse;
use serde::Deserialize;
use tonic::{Code, Status};

use super::headers;

/// How the transcoder begins its own refusals; a service's refusal has details instead.
const UNREADABLE: [&str; 3] = [
    "invalid request body JSON: ",
    "invalid request structure: ",
    "request did not match the expected message: ",
];

/// The challenge beside a 401 (RFC 6750).
pub(super) const BEARER: HeaderValue = HeaderValue::from_static(r#"Bearer realm="switchboard""#);

/// The transcoder's error body.
#[derive(Deserialize)]
struct Refusal {
    code: i32,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    kind: String,
    #[serde(default)]
    value: String,
}

/// An answer of a unary call.
pub(super) enum Answer {
    /// It worked; the caller gets this.
    Done(Response),
    /// The service, or the way to it, refused.
    Refused { status: Status, headers: HeaderMap },
    /// The transcoder could not read the request; its words.
    Unreadable(String),
}

/// Sorts a unary answer.
pub(super) fn unary(answer: HttpResponse) -> Answer {
    let (mut parts, body) = answer.into_http().into_parts();
    headers::to_caller(&mut parts.headers);
    if parts.status == StatusCode::OK {
        return Answer::Done(Response::from_parts(parts, Body::from(body)));
    }
    let status = status(&body);
    match unreadable(&status) {
        Some(words) => Answer::Unreadable(words.to_owned()),
        None => Answer::Refused {
            status,
            headers: parts.headers,
        },
    }
}

/// A stream of messages that is not the event stream.
pub(super) fn stream(answer: StreamingResponse) -> Response {
    let (content_type, mut stream_headers, frames) = answer.into_parts();
    headers::to_caller(&mut stream_headers);
    // Headers are out: a failing stream can only be broken off, which the caller notices.
    let frames = futures::StreamExt::map(frames, |frame| {
        frame
            .map(Bytes::from)
            .map_err(|_| std::io::Error::other("the upstream failed"))
    });
    let mut response = Response::new(Body::from_stream(frames));
    *response.headers_mut() = stream_headers;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// The problem of a refused call, with the headers the service allowed out.
pub(super) fn problem(status: &Status, headers: &HeaderMap) -> ProblemResponse {
    let mut problem = ProblemResponse::from(status);
    if let Some(wait) = headers.get(header::RETRY_AFTER) {
        problem = problem.with_header(header::RETRY_AFTER, wait.clone());
    }
    challenged(problem)
}

/// RFC 9110 wants a challenge on every 401.
pub(super) fn challenged(problem: ProblemResponse) -> ProblemResponse {
    if problem.status() == StatusCode::UNAUTHORIZED
        && !problem.headers().contains_key(header::WWW_AUTHENTICATE)
    {
        return problem.with_header(header::WWW_AUTHENTICATE, BEARER);
    }
    problem
}

/// The words of a refusal that is the transcoder's own.
pub(super) fn unreadable(status: &Status) -> Option<&str> {
    if status.code() != Code::InvalidArgument || !status.details().is_empty() {
        return None;
    }
    UNREADABLE
        .iter()
        .find_map(|start| status.message().strip_prefix(start))
}

/// The gRPC status inside the transcoder's error body.
pub(super) fn status(body: &[u8]) -> Status {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return Status::internal("the transcoder's answer has an unknown shape");
    };
    let details = refusal
        .details
        .iter()
        .find(|detail| detail.kind == "grpc-status-details-bin")
        .and_then(|detail| STANDARD.decode(&detail.value).ok())
        .unwrap_or_default();
    Status::with_details(
        Code::from_i32(refusal.code),
        refusal.message,
        details.into(),
    )
}

#[cfg(test)]
mod tests {
    use errors::codes;

    use super::*;

    /// As the generated bridge writes it.
    fn transcoded(status: &Status) -> HttpResponse {
        let mut converted = rest_over_grpc::handling::Status::new(
            rest_over_grpc::handling::Code::from_i32(status.code() as i32).expect("a code"),
            status.message(),
        );
        if !status.details().is_empty() {
            converted = converted.with_detail(
                rest_over_grpc::codegen_helpers::grpc_status_details(status.details()),
            );
        }
        HttpResponse::from_status(&converted)
    }

    #[test]
    fn every_code_of_the_catalogue_survives_the_transcoder() {
        for code in codes::ALL {
            let Answer::Refused { status, headers } = unary(transcoded(&errors::status_of(code)))
            else {
                panic!("{} is not a refusal", code.id);
            };
            assert_eq!(problem(&status, &headers).problem().code, code.id);
        }
    }

    #[test]
    fn a_service_that_quotes_the_transcoder_is_not_mistaken_for_it() {
        let status = errors::status_of(&codes::REQUEST_INVALID);
        let quoting = Status::with_details(
            status.code(),
            "invalid request structure: by the service",
            Bytes::copy_from_slice(status.details()),
        );
        assert!(matches!(
            unary(transcoded(&quoting)),
            Answer::Refused { .. }
        ));
    }

    #[test]
    fn every_401_carries_a_challenge() {
        let status = errors::status_of(&codes::AUTH_CREDENTIALS_WRONG);
        let answer = problem(&status, &HeaderMap::new());
        assert!(answer.headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
