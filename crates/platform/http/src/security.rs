//! Headers that every answer of a public border carries.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// An API's answers are data: nothing in them may run, be framed, be guessed to be another type,
/// or be kept by a cache that serves somebody else.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Adds them; an answer that is public and says so keeps its own `Cache-Control`.
pub(crate) fn add(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
}
