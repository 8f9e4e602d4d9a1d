//! The refusals that concern HTTP itself, before any operation is chosen.

use errors::codes;
use http::{HeaderValue, header};

use crate::ProblemResponse;

/// 404: no operation has this path.
pub fn route_unknown() -> ProblemResponse {
    ProblemResponse::new(&codes::ROUTE_UNKNOWN)
}

/// 405: the path exists with other methods. The caller adds `Allow` unless its router does.
pub fn method_not_allowed() -> ProblemResponse {
    ProblemResponse::new(&codes::METHOD_NOT_ALLOWED)
}

/// 406: none of the formats in `Accept` is available; `offered` is.
pub fn not_acceptable(offered: &str) -> ProblemResponse {
    ProblemResponse::new(&codes::NOT_ACCEPTABLE)
        .with_detail(format!("This address answers with {offered} only."))
}

/// 408: the body did not arrive in time.
pub fn too_slow() -> ProblemResponse {
    // The server may close: what follows on the connection is the rest of that body.
    ProblemResponse::new(&codes::REQUEST_TOO_SLOW)
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

/// 413: the body is larger than `max_bytes`.
pub fn too_large(max_bytes: usize) -> ProblemResponse {
    ProblemResponse::new(&codes::REQUEST_TOO_LARGE).with_detail(format!(
        "The request body may have at most {max_bytes} bytes."
    ))
}

/// 415: the body is in a format that is not read here.
pub fn media_type_unsupported(detail: &str) -> ProblemResponse {
    ProblemResponse::new(&codes::MEDIA_TYPE_UNSUPPORTED).with_detail(detail)
}

/// 400: a header is not acceptable.
pub fn header_invalid(name: &'static str, message: &str) -> ProblemResponse {
    ProblemResponse::new(&codes::REQUEST_MALFORMED)
        .with_detail(format!("The header {name} is not acceptable: {message}"))
        .with_field(name, message)
}
