//! The headers that make strangers' files safe to hand out from an address of ours.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use blobs::Digest;
use errors::{Code, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{domain::media, error::Error};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Nothing in a file may run, load anything, or be taken for another type than it is sent as. Pages of other origins may
/// show it: that is what the addresses are for.
const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains; preload"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    ),
];

pub(super) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    // The address ends, the browser's copy of what never changes need not; shared caches keep nothing.
    let kept = HeaderValue::from_static("private, max-age=600, immutable");
    let cache = if response.status().is_success() {
        kept
    } else {
        HeaderValue::from_static("no-store")
    };
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(cache);
    response
}

/// A file to be handed out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'f> {
    pub(super) digest: Digest,
    pub(super) mime_type: &'f str,
    pub(super) filename: &'f str,
}

impl Shown<'_> {
    fn tag(&self) -> String {
        format!("\"{}\"", self.digest)
    }

    /// Whether the caller has it already.
    pub(super) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let known = headers.get(header::IF_NONE_MATCH);
        let known = known.and_then(|value| value.to_str().ok());
        known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == self.tag()))
    }

    pub(super) fn not_modified(&self) -> Response {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        self.describe(response.headers_mut());
        response.headers_mut().remove(header::CONTENT_TYPE);
        response
    }

    pub(super) fn describe(&self, headers: &mut HeaderMap) {
        let inline = media::shows_inline(self.mime_type);
        // What is not shown is not even called by its name: a browser has nothing to open it with.
        let mime_type = if inline || self.mime_type == "application/pdf" {
            self.mime_type
        } else {
            "application/octet-stream"
        };
        let named = |text: &str| HeaderValue::from_str(text).ok();
        let values = [
            (header::CONTENT_TYPE, named(mime_type)),
            (
                header::CONTENT_DISPOSITION,
                named(&self.disposition(inline)),
            ),
            (header::ETAG, named(&self.tag())),
            (header::ACCEPT_RANGES, named("bytes")),
        ];
        for (name, value) in values {
            headers.extend(value.map(|value| (name, value)));
        }
    }

    /// RFC 6266: the name in plain letters for old clients, and as it is for the others.
    fn disposition(&self, inline: bool) -> String {
        let kind = if inline { "inline" } else { "attachment" };
        let name: String = self
            .filename
            .chars()
            .filter(|character| !character.is_control() && !"/\\".contains(*character))
            .take(150)
            .collect();
        if name.trim().is_empty() {
            return kind.to_owned();
        }
        let plain: String = name
            .chars()
            .map(|character| match character {
                '"' | '%' => '_',
                ' '..='~' => character,
                _ => '_',
            })
            .collect();
        format!(
            "{kind}; filename=\"{plain}\"; filename*=UTF-8''{}",
            escaped(&name)
        )
    }
}

/// RFC 8187: every byte but letters, digits and a few marks as `%XX`.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hex::encode_upper([byte]));
        }
    }
    text
}

/// The answer for an entry of the catalogue.
pub(super) fn problem(code: &'static Code) -> Response {
    document(&Problem::new(code))
}

/// The answer for an error, which is logged on the way as it is for gRPC.
pub(super) fn error(error: &Error) -> Response {
    document(&Problem::from_status(&errors::to_status(error)))
}

fn document(problem: &Problem) -> Response {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, PROBLEM_JSON);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disposition(filename: &str, mime_type: &str) -> String {
        let shown = Shown {
            digest: Digest::from_bytes([7; 32]),
            mime_type,
            filename,
        };
        let mut headers = HeaderMap::new();
        shown.describe(&mut headers);
        let value = &headers[header::CONTENT_DISPOSITION];
        value.to_str().expect("text").to_owned()
    }

    #[test]
    fn a_name_can_neither_break_the_header_nor_lead_into_a_folder() {
        assert_eq!(disposition("", "image/png"), "inline");
        assert_eq!(
            disposition("a\"b\r\nSet-Cookie: x=1/../é.pdf", "application/pdf"),
            "attachment; filename=\"a_bSet-Cookie: x=1.._.pdf\"; filename*=UTF-8''a%22bSet-Cookie%3A%20x%3D1..%C3%A9.pdf"
        );
    }

    #[test]
    fn a_type_that_is_not_shown_is_sent_as_mere_bytes() {
        let shown = Shown {
            digest: Digest::from_bytes([7; 32]),
            mime_type: "text/html",
            filename: "page.html",
        };
        let mut headers = HeaderMap::new();
        shown.describe(&mut headers);
        assert_eq!(headers[header::CONTENT_TYPE], "application/octet-stream");
        assert!(disposition("page.html", "text/html").starts_with("attachment"));
    }
}
