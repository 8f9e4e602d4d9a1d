//! `GET /v1/events`: the events of the organization as server-sent events. The only REST operation
//! that is written by hand, because resuming is said in HTTP headers (`Last-Event-ID`).
//!
//! The id of each event is its cursor. Where the stream from the messaging service breaks, the
//! gateway opens it again behind the last event it sent on; where it can't, it ends the answer in
//! order and the client does the same. Neither skips or repeats an event.

mod feed;
mod frame;
mod upstream;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, extract::Request, response::Response};
use errors::codes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use sb_http::{ProblemResponse, RequestId, json::Mistake, refusal};

use self::{
    feed::Feed,
    upstream::{Source, Upstream},
};
use super::{answers, client::Client, headers};
use crate::{app::Gateway, credentials::Caller};

/// The RPC behind the stream.
pub(super) const RPC: &str = "/switchboard.messaging.v1.MessagingService/WatchEvents";

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// nginx and others hold answers back to send them in one piece unless told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// As in the proto file.
const LONGEST_CURSOR: usize = 128;
/// A client that lost its stream waits between one and three seconds.
const RETRY_FROM: Duration = Duration::from_secs(1);
const RETRY_SPREAD: Duration = Duration::from_secs(2);

/// Answers with the stream.
///
/// # Errors
///
/// The problem, as long as nothing was sent: a wrong cursor, a refusal of the service.
pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    caller: Arc<Caller>,
    client: &Client,
    request: Request,
) -> Result<Response, ProblemResponse> {
    if request.method() == Method::HEAD {
        return Err(refusal::method_not_allowed()
            .with_header(header::ALLOW, HeaderValue::from_static("GET")));
    }
    if !accepts_events(request.headers()) {
        return Err(refusal::not_acceptable("text/event-stream"));
    }
    let cursor = cursor(&request)?;
    let spread = spread(&request);
    let caller = gateway.credentials.watchable(caller).await?;
    let source = Source {
        client: gateway.events.clone(),
        metadata: headers::to_metadata(request.headers(), client, Some(&caller))?,
        give_up_after: gateway.settings.events.resume_for(),
        spread,
        clock: gateway.clock.clone(),
    };
    let upstream = Upstream::open(source, cursor)
        .await
        .map_err(|status| answers::problem(&status, &HeaderMap::new()))?;
    let feed = Feed {
        upstream,
        heartbeat: gateway.settings.events.heartbeat(),
        retry: RETRY_FROM + RETRY_SPREAD.mul_f64(spread),
        gateway: Arc::clone(gateway),
        rechecked_at: gateway.clock.now(),
        told_at: gateway.clock.now(),
        caller,
    };
    let mut response = Response::new(Body::from_stream(feed.into_stream()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, EVENT_STREAM);
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Where to go on: the header is newer than the address, which a reconnecting client repeats.
fn cursor(request: &Request) -> Result<Option<String>, ProblemResponse> {
    let asked = cursor_in(request.uri().query().unwrap_or_default())?;
    let resumed = match request
        .headers()
        .get(LAST_EVENT_ID)
        .map(HeaderValue::to_str)
    {
        None => None,
        Some(Ok(id)) => Some(id.to_owned()).filter(|id| !id.is_empty()),
        Some(Err(_)) => {
            let message = "Send the id of an event.";
            return Err(refusal::header_invalid("Last-Event-ID", message));
        }
    };
    match resumed.or(asked) {
        Some(cursor) if cursor.len() > LONGEST_CURSOR => {
            let message = format!("Use the id of an event, at most {LONGEST_CURSOR} characters.");
            Err(ProblemResponse::new(&codes::CURSOR_INVALID).with_field("cursor", message))
        }
        cursor => Ok(cursor),
    }
}

/// `?cursor=…`, the only parameter.
fn cursor_in(query: &str) -> Result<Option<String>, ProblemResponse> {
    let mut cursor = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name != "cursor" {
            let words = "unknown field, expected `cursor`";
            let shown: String = name.chars().take(100).collect();
            return Err(Mistake::of(b"", words).in_field(shown).into());
        }
        if cursor.replace(value.into_owned()).is_some() {
            return Err(Mistake::of(b"", "duplicate field `cursor`").into());
        }
    }
    Ok(cursor.filter(|cursor| !cursor.is_empty()))
}

/// No `Accept` accepts everything.
fn accepts_events(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return true;
    }
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(str::trim)
        .any(|range| {
            ["text/event-stream", "text/*", "*/*"]
                .iter()
                .any(|known| range.eq_ignore_ascii_case(known))
        })
}

/// Between 0 and 1, the same for a request however often it is asked.
fn spread(request: &Request) -> f64 {
    let mut hasher = DefaultHasher::new();
    if let Some(id) = request.extensions().get::<RequestId>() {
        id.as_str().hash(&mut hasher);
    }
    let [high, low, ..] = hasher.finish().to_le_bytes();
    f64::from(u16::from_le_bytes([high, low])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).expect("a request")
    }

    #[test]
    fn the_header_is_newer_than_the_address() {
        let resumed = request("/v1/events?cursor=old", &[("last-event-id", "new")]);
        assert_eq!(cursor(&resumed).expect("a cursor").as_deref(), Some("new"));
        let first = request("/v1/events?cursor=old%2D1", &[]);
        assert_eq!(cursor(&first).expect("a cursor").as_deref(), Some("old-1"));
        assert_eq!(cursor(&request("/v1/events", &[])).expect("none"), None);
        let empty = request("/v1/events?cursor=", &[("last-event-id", "")]);
        assert_eq!(cursor(&empty).expect("none"), None);
    }

    #[test]
    fn a_parameter_that_does_not_exist_is_named() {
        let refused = cursor(&request("/v1/events?since=1", &[])).expect_err("unknown");
        assert_eq!(refused.status(), 400);
        assert_eq!(refused.problem().errors[0].field, "since");
    }

    #[test]
    fn a_cursor_that_no_event_has_is_refused_here() {
        let long = format!("/v1/events?cursor={}", "1".repeat(129));
        let refused = cursor(&request(&long, &[])).expect_err("too long");
        assert_eq!(refused.problem().code, "request.cursor_invalid");
    }

    #[test]
    fn a_client_that_takes_anything_takes_events() {
        for accept in ["text/event-stream", "TEXT/*;q=0.5", "application/json, */*"] {
            let request = request("/", &[("accept", accept)]);
            assert!(accepts_events(request.headers()), "{accept}");
        }
        assert!(accepts_events(&HeaderMap::new()));
        let json = request("/", &[("accept", "application/json")]);
        assert!(!accepts_events(json.headers()));
    }

    #[test]
    fn clients_come_back_at_different_times() {
        let spread_of = |id: &str| {
            let mut request = request("/", &[("x-request-id", id)]);
            let id = RequestId::of(request.headers());
            request.extensions_mut().insert(id);
            spread(&request)
        };
        let all: Vec<f64> = (0..100).map(|n| spread_of(&format!("r{n}"))).collect();
        assert!(all.iter().all(|spread| (0.0..=1.0).contains(spread)));
        assert!(all.iter().any(|spread| *spread < 0.3));
        assert!(all.iter().any(|spread| *spread > 0.7));
    }
}
