use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use errors::codes;
use http::HeaderMap;
use tokio::time::Instant;

use crate::request::{self, Current};

pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

/// Ends a call that has not answered when its caller stops waiting, or after `longest`; calls to
/// other services made meanwhile inherit what is left.
pub(super) async fn enforce(
    State(longest): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let limit = parse(request.headers()).map_or(longest, |asked| asked.min(longest));
    let answering = next.run(request);
    let answer = match request::current() {
        Some(current) => {
            let deadline = Some(Instant::now() + limit);
            let current = Current {
                deadline,
                ..current
            };
            tokio::time::timeout(limit, request::serving(current, answering)).await
        }
        None => tokio::time::timeout(limit, answering).await,
    };
    answer.unwrap_or_else(|_| errors::status_of(&codes::TIMEOUT).into_http())
}

/// The `grpc-timeout` header: up to eight digits and a unit. Anything else counts as absent.
pub(crate) fn parse(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(count)),
        "M" => Some(Duration::from_mins(count)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// The header's text for a duration: milliseconds, at least one.
pub(crate) fn format(timeout: Duration) -> String {
    let ms = timeout.as_millis().clamp(1, 99_999_999);
    format!("{ms}m")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, HeaderValue::from_str(text).expect("a header"));
        parse(&headers)
    }

    #[test]
    fn timeouts_are_read_in_every_unit_and_nonsense_is_ignored() {
        assert_eq!(parsed("1H"), Some(Duration::from_hours(1)));
        assert_eq!(parsed("2M"), Some(Duration::from_mins(2)));
        assert_eq!(parsed("3S"), Some(Duration::from_secs(3)));
        assert_eq!(parsed("4m"), Some(Duration::from_millis(4)));
        assert_eq!(parsed("5u"), Some(Duration::from_micros(5)));
        assert_eq!(parsed("6n"), Some(Duration::from_nanos(6)));
        assert_eq!(parsed("99999999H"), Some(Duration::from_hours(99_999_999)));
        for nonsense in ["", "5", "m", "-1S", "+1S", "1.5S", "123456789S", "1X"] {
            assert_eq!(parsed(nonsense), None, "{nonsense}");
        }
        assert_eq!(
            parsed(&format(Duration::from_secs(7))),
            Some(Duration::from_secs(7))
        );
        assert_eq!(format(Duration::ZERO), "1m");
    }
}
