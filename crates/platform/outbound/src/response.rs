//! Answers: whole ones, bounded in size, and streamed ones, bounded in size and patience.

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::error::{At, Error, Unknown};

/// A complete answer, whatever its status. Only the transport's failures are errors; what a status
/// means is the other side's contract and so the caller's to know.
#[derive(Clone)]
pub struct Response {
    pub(crate) at: At,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Without headers and body: they are what customers wrote, and tokens.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("at", &self.at)
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Where an answer stops being the JSON that was expected. `serde_json::Error` would quote the content.
#[derive(Debug, thiserror::Error)]
#[error("{category:?} error in the JSON at line {line}, column {column}")]
struct NotJson {
    category: serde_json::error::Category,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for NotJson {
    fn from(error: serde_json::Error) -> Self {
        Self {
            category: error.classify(),
            line: error.line(),
            column: error.column(),
        }
    }
}

impl Response {
    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A header as text, if present and printable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, decompressed.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`Unknown::Undecodable`] when it is something else: the other side may have acted all the
    /// same.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let status = self.status;
            let error = NotJson::from(error).into();
            self.at
                .unknown(Unknown::Undecodable { status }, Some(error))
        })
    }

    /// The pause the other side asks for.
    pub fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        parse_retry_after(&self.headers, now)
    }
}

/// The pause of a `Retry-After` header, in either of its forms (RFC 9110: seconds or a date).
pub(crate) fn parse_retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some(
        (date.with_timezone(&Utc) - now)
            .to_std()
            .unwrap_or_default(),
    )
}

/// An answer whose body is read piece by piece.
pub struct Streaming {
    pub(crate) at: At,
    pub(crate) response: reqwest::Response,
    /// Bytes that may still come.
    pub(crate) left: usize,
    pub(crate) limit: usize,
    /// The longest silence between two pieces.
    pub(crate) patience: Duration,
}

/// Without the URL and the headers, which hold tokens.
impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("at", &self.at)
            .field("status", &self.status())
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Streaming {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// A header as text, if present and printable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The announced length of the body, in bytes.
    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the body breaks off, is too large, or nothing comes for longer than
    /// the call's deadline.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let status = self.status();
        let next = tokio::time::timeout(self.patience, self.response.chunk()).await;
        let chunk = match next {
            Err(_elapsed) => return Err(self.at.unknown(Unknown::Deadline, None)),
            Ok(Err(error)) => {
                let source = Some(error.without_url().into());
                return Err(self.at.unknown(Unknown::BodyCut { status }, source));
            }
            Ok(Ok(chunk)) => chunk,
        };
        if let Some(chunk) = &chunk {
            let Some(left) = self.left.checked_sub(chunk.len()) else {
                let limit = self.limit;
                return Err(self
                    .at
                    .unknown(Unknown::BodyTooLarge { status, limit }, None));
            };
            self.left = left;
        }
        Ok(chunk)
    }

    /// Reads the rest, up to the limit.
    ///
    /// # Errors
    /// As for [`Streaming::chunk`].
    pub async fn collect(mut self) -> Result<Response, Error> {
        let announced = self.content_length().and_then(|n| usize::try_from(n).ok());
        if let Some(announced) = announced
            && announced > self.limit
        {
            let (status, limit) = (self.status(), self.limit);
            return Err(self
                .at
                .unknown(Unknown::BodyTooLarge { status, limit }, None));
        }
        // The announcement is a stranger's word: never reserve much on it alone.
        let mut body = BytesMut::with_capacity(announced.unwrap_or(0).min(64 * 1024));
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            at: self.at,
            status: self.status(),
            headers: std::mem::take(self.response.headers_mut()),
            body: body.freeze(),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time");
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            parse_retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            read("Tue, 14 Nov 2023 22:14:20 GMT"),
            Some(Duration::from_mins(1))
        );
        assert_eq!(read("Tue, 14 Nov 2022 22:14:20 GMT"), None, "wrong weekday");
        assert_eq!(read("Mon, 14 Nov 2022 22:14:20 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-5"), None);
    }
}
