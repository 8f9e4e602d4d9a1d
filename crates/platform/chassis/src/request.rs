//! What the chassis knows about the request being served, wherever the code is.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

/// Names a request in logs, answers and calls to other services.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids are the caller's mischief.
const LONGEST_ID: usize = 64;

/// The id of a request, found in the extensions of every request that a chassis server hands out.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's id if it gave one that is safe to log and to pass on, else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(REQUEST_ID)
            .filter(|id| is_sound(id.as_bytes()))
            .map_or_else(Self::generate, |id| Self(id.clone()))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the maker of these ids")]
    fn generate() -> Self {
        let id = format!("{:032x}", rand::random::<u128>());
        Self(HeaderValue::try_from(id).expect("invariant: hexadecimal digits are visible ASCII"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The value of the header [`REQUEST_ID`].
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

/// What may stand in a log line and a header as it is.
fn is_sound(id: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(allowed)
}

/// The request that the current task is serving.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) id: RequestId,
    /// When the caller stops waiting.
    pub(crate) deadline: Option<Instant>,
}

tokio::task_local! {
    static CURRENT: Current;
}

/// Runs `future` as part of serving `current`.
pub(crate) async fn serving<F: Future>(current: Current, future: F) -> F::Output {
    CURRENT.scope(current, future).await
}

/// The request being served, unless this is a background task.
pub(crate) fn current() -> Option<Current> {
    CURRENT.try_with(Clone::clone).ok()
}

/// How long the caller of the request being served will still wait; `None` if it set no limit, or
/// in a background task.
pub fn time_left() -> Option<Duration> {
    let deadline = current()?.deadline?;
    Some(deadline.saturating_duration_since(Instant::now()))
}

/// The id of the request being served; `None` in a background task.
pub fn request_id() -> Option<RequestId> {
    current().map(|current| current.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(id: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_str(id).expect("a header"));
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn requests_without_an_id_get_different_ones() {
        let headers = HeaderMap::new();
        assert_ne!(RequestId::of(&headers), RequestId::of(&headers));
    }

    #[test]
    fn a_sound_id_of_the_caller_is_kept_and_any_other_replaced() {
        assert_eq!(accepted("req_42-a.b"), "req_42-a.b");
        for unsound in ["", "a b", "a\"b", "a,b", "{\"x\":1}", &"x".repeat(65)] {
            let id = accepted(unsound);
            assert!(id.len() == 32 && id != unsound);
        }
    }
}
