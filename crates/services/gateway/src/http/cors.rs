//! Pages of other origins. Without a configured origin none of this exists, and browsers keep every answer from them.

use std::{collections::HashSet, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::browser::WebOrigin;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, last-event-id, traceparent, x-csrf-token, x-request-id",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, idempotent-replayed, location, retry-after, x-csrf-token, x-request-id",
);
/// Seconds that a browser remembers the answer to a preflight.
const TEN_MINUTES: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The origins whose pages may read answers.
#[derive(Debug, Clone)]
pub(super) struct Cors(Arc<HashSet<HeaderValue>>);

impl Cors {
    /// `None` where there are none.
    pub(super) fn of(origins: &[WebOrigin]) -> Option<Self> {
        let origins: HashSet<_> = origins
            .iter()
            .filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok())
            .collect();
        (!origins.is_empty()).then(|| Self(Arc::new(origins)))
    }

    /// The one origin of the request, if it is allowed.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (Some(origin), None) => self.0.get(origin).cloned(),
            _ => None,
        }
    }
}

/// Answers preflights and adds what lets a page read the answer.
pub(super) async fn handle(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    let allowed = cors.allowed(request.headers());
    let asks_first = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first && allowed.is_some() {
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, TEN_MINUTES),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    // Also where it is not allowed: a cache must not give one origin's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        let granted: [(HeaderName, HeaderValue); 3] = [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        ];
        headers.extend(granted);
    }
    response
}
