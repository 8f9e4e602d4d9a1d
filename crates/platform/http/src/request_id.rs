//! The name of one request in logs, in upstream calls and in the caller's error report.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Carries the request id in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id taken over from a caller: a uuid, a trace id or a proxy's id fits.
const LONGEST: usize = 64;

/// The id of the request; found in the request's extensions behind the [`Border`](crate::Border).
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's id if it has one that is safe to log and to pass on, a new one otherwise.
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(REQUEST_ID)
            .filter(|value| is_valid(value.as_bytes()))
            .map_or_else(Self::generate, |value| Self(value.clone()))
    }

    fn generate() -> Self {
        let id = ids::RequestId::generate().to_string();
        Self(HeaderValue::try_from(id).expect("invariant: an id is visible ASCII"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The value of the header.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// No blanks, quotes or control characters: the id is written into logs and headers as it came.
fn is_valid(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static(value));
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_callers_id_is_kept() {
        assert_eq!(of("4bf92f3577b34da6-a_1.2"), "4bf92f3577b34da6-a_1.2");
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        for bad in ["", "a b", "a\"b", "a,b", "{}"] {
            assert!(of(bad).starts_with("req_"), "{bad:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            REQUEST_ID,
            HeaderValue::from_str(&"a".repeat(65)).expect("ascii"),
        );
        assert!(RequestId::of(&headers).as_str().starts_with("req_"));
    }

    #[test]
    fn requests_without_an_id_get_different_ones() {
        let headers = HeaderMap::new();
        assert_ne!(RequestId::of(&headers), RequestId::of(&headers));
    }
}
