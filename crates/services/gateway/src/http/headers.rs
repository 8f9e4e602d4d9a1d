//! Which headers cross the border, in each direction. What is not listed does not.

use http::{HeaderMap, HeaderName, header};
use sb_http::{ProblemResponse, REQUEST_ID, refusal};

use super::client::Client;
use crate::credentials::Caller;

/// Makes a repeated request harmless; kept by the service that owns the operation.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(auth::metadata::IDEMPOTENCY_KEY);

/// Passed on to the services as they are. The channel replaces the trace context by its own span's
/// where spans are exported; where they are not, the caller's trace still reaches the service.
const TO_SERVICES: [HeaderName; 4] = [
    REQUEST_ID,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    header::ACCEPT,
];

/// Passed back to the caller.
const TO_CALLERS: [HeaderName; 6] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("idempotent-replayed"),
];

/// The metadata of the gRPC call that serves a request.
///
/// # Errors
///
/// 400 for an `Idempotency-Key` that no service would accept.
pub(super) fn to_metadata(
    request: &HeaderMap,
    client: &Client,
    caller: Option<&Caller>,
) -> Result<HeaderMap, ProblemResponse> {
    auth::metadata::idempotency_key(request).map_err(|_| {
        let message = "Send it once, with 1 to 255 visible ASCII characters, such as a uuid.";
        refusal::header_invalid("Idempotency-Key", message)
    })?;
    let mut metadata = of_client(request, client);
    if let Some(key) = request.get(IDEMPOTENCY_KEY) {
        metadata.insert(IDEMPOTENCY_KEY, key.clone());
    }
    if let Some(caller) = caller {
        metadata.insert(header::AUTHORIZATION, caller.authorization());
    }
    Ok(metadata)
}

/// The metadata of any call that a request makes necessary: who asks from where, and which trace it belongs to.
pub(super) fn of_client(request: &HeaderMap, client: &Client) -> HeaderMap {
    let mut metadata = HeaderMap::with_capacity(8);
    for name in TO_SERVICES {
        // gRPC metadata is ASCII; a header with other bytes would break the call.
        if let Some(value) = request.get(&name)
            && value.to_str().is_ok()
        {
            metadata.insert(name, value.clone());
        }
    }
    client.tell(&mut metadata);
    metadata
}

/// Keeps what a caller may see.
pub(super) fn to_caller(response: &mut HeaderMap) {
    let mut kept = HeaderMap::with_capacity(TO_CALLERS.len());
    for name in TO_CALLERS {
        if let Some(value) = response.remove(&name) {
            kept.insert(name, value);
        }
    }
    *response = kept;
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with_key(key: &[u8]) -> Result<HeaderMap, ProblemResponse> {
        let mut request = HeaderMap::new();
        let key = HeaderValue::from_bytes(key).expect("a header value");
        request.insert(IDEMPOTENCY_KEY, key);
        to_metadata(&request, &Client::default(), None)
    }

    #[test]
    fn an_idempotency_key_is_one_to_255_visible_characters() {
        for good in [&b"a"[..], b"6f1c-~!", &[b'k'; 255]] {
            let metadata = with_key(good).expect("a good key");
            assert_eq!(metadata["idempotency-key"].as_bytes(), good);
        }
        for bad in [&b""[..], b"a b", "\u{e9}".as_bytes(), &[b'k'; 256]] {
            let refused = with_key(bad).expect_err("a bad key");
            assert_eq!(refused.status(), 400);
            assert_eq!(refused.problem().errors[0].field, "Idempotency-Key");
        }
    }

    #[test]
    fn two_idempotency_keys_are_refused() {
        let mut request = HeaderMap::new();
        request.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        request.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(to_metadata(&request, &Client::default(), None).is_err());
    }

    #[test]
    fn a_callers_own_metadata_stays_outside() {
        let mut request = HeaderMap::new();
        for name in [
            "authorization",
            "cookie",
            "grpc-timeout",
            "x-forwarded-for",
            "x-organization-id",
            auth::metadata::CLIENT_ADDRESS,
            auth::metadata::CLIENT_AGENT,
            auth::metadata::ORGANIZATION_ID,
            "grpc-encoding",
            "connection",
        ] {
            request.insert(name, HeaderValue::from_static("1"));
        }
        let metadata = to_metadata(&request, &Client::default(), None).expect("no key to check");
        assert!(metadata.is_empty(), "{metadata:?}");
    }

    #[test]
    fn what_a_service_says_beside_its_answer_stays_inside() {
        let mut response = HeaderMap::new();
        for name in ["content-type", "etag", "grpc-status", "server", "x-debug"] {
            response.insert(name, HeaderValue::from_static("1"));
        }
        to_caller(&mut response);
        let mut names: Vec<_> = response.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "etag"]);
    }
}
