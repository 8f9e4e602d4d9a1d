//! What the chassis knows about the request being served, wherever the code is.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::jitter::Jitter;

/// Names a request in logs, answers and calls to other services.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids are the caller's mischief.
const LONGEST_ID: usize = 64;

/// The request id, found in the extensions of every request that a chassis server hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The caller's id if it gave a sound one, else a new one.
    pub(crate) fn accept(headers: &HeaderMap, jitter: &Jitter) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        match given.filter(|id| is_sound(id)) {
            Some(id) => Self(id.into()),
            None => Self(format!("{:016x}{:016x}", jitter.number(), jitter.number()).into()),
        }
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(&*self.0).ok()
    }
}

/// What may stand in a log line and a header as it is.
fn is_sound(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(allowed)
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
        let id = RequestId::accept(&headers, &Jitter::seeded(1));
        id.as_str().to_owned()
    }

    #[test]
    fn a_sound_id_of_the_caller_is_kept_and_any_other_replaced() {
        assert_eq!(accepted("req_42-a.b"), "req_42-a.b");
        for unsound in ["", "a b", "a\"b", "{\"x\":1}", &"x".repeat(65)] {
            let id = accepted(unsound);
            assert!(id.len() == 32 && id != unsound);
        }
    }
}
