//! `GET /openapi.json`: the description of the API, as it was generated with it.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

/// The path of the document. It needs no credentials: it says what the credentials are.
pub(super) const PATH: &str = "/openapi.json";

const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The document with the tag that its content has.
#[derive(Debug, Clone)]
pub(super) struct Document {
    etag: HeaderValue,
}

impl Document {
    pub(super) fn new() -> Self {
        let digest = hex::encode(&Sha256::digest(proto::OPENAPI)[..16]);
        let etag = HeaderValue::try_from(format!("\"{digest}\""))
            .expect("invariant: hexadecimal digits are ASCII");
        Self { etag }
    }

    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let headers = [
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, FIVE_MINUTES),
        ];
        if request.get(header::IF_NONE_MATCH) == Some(&self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let json = [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )];
        (headers, json, proto::OPENAPI).into_response()
    }
}
