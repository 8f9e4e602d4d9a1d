//! Reading a request body within limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;

use crate::{ProblemResponse, refusal};

/// What a body may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes.
    pub max_bytes: usize,
    /// From the first wait for the body to its end.
    pub timeout: Duration,
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is, or announces to be, larger than allowed.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection ended before it did, or its framing is wrong.
    #[error("the body could not be read")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<BodyError> for ProblemResponse {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { max_bytes } => refusal::too_large(max_bytes),
            BodyError::TooSlow => refusal::too_slow(),
            BodyError::Broken(_) => Self::new(&errors::codes::REQUEST_MALFORMED)
                .with_detail("The request body ended early."),
        }
    }
}

/// Reads the whole body.
///
/// # Errors
///
/// [`BodyError::TooLarge`] without reading if the announced length is over the limit, otherwise as
/// soon as the bytes that arrived are; [`BodyError::TooSlow`]; [`BodyError::Broken`].
pub async fn read<B>(headers: &HeaderMap, body: B, limits: Limits) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let too_large = BodyError::TooLarge {
        max_bytes: limits.max_bytes,
    };
    if announced(headers).is_some_and(|length| length > limits.max_bytes as u64) {
        return Err(too_large);
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    tokio::time::timeout(limits.timeout, collect(body, limits.max_bytes))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

async fn collect<B>(body: B, max_bytes: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + rest.len() + data.len() > max_bytes {
            return Err(BodyError::TooLarge { max_bytes });
        }
        // Nearly every body is one frame, and that one is not copied.
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::stream;
    use http::HeaderValue;

    use super::*;

    const LIMITS: Limits = Limits {
        max_bytes: 8,
        timeout: Duration::from_secs(10),
    };

    fn chunks(parts: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(
            parts
                .iter()
                .map(|part| Ok::<_, std::io::Error>(Bytes::from_static(part.as_bytes()))),
        ))
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_joined() {
        let body = read(&HeaderMap::new(), chunks(&["ab", "cd", "ef"]), LIMITS)
            .await
            .expect("within the limits");
        assert_eq!(body, "abcdef");
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_unread() {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", HeaderValue::from_static("9"));
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let refused = read(&headers, never, LIMITS).await;
        assert!(matches!(refused, Err(BodyError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn a_body_that_grows_over_the_limit_is_refused() {
        let refused = read(&HeaderMap::new(), chunks(&["abcd", "efgh", "i"]), LIMITS).await;
        assert!(matches!(refused, Err(BodyError::TooLarge { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_refused() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let refused = read(&HeaderMap::new(), never, LIMITS).await;
        assert!(matches!(refused, Err(BodyError::TooSlow)));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_taken_for_a_short_one() {
        let broken = Body::from_stream(stream::iter([
            Ok(Bytes::from_static(b"{}")),
            Err(std::io::Error::other("reset")),
        ]));
        let refused = read(&HeaderMap::new(), broken, LIMITS).await;
        assert!(matches!(refused, Err(BodyError::Broken(_))));
    }
}
