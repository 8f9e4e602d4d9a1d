//! The API said no.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use http::StatusCode;
use outbound::Response;
use serde_json::value::RawValue;

use crate::{
    codes::{self, Class, Scope},
    webhook::json::Object,
};

/// The API said no, and what that means. `Display` has the code only: Meta's texts can repeat
/// numbers and content, so they are for the tenant's eyes and not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Meta's code; absent if the answer was not Meta's usual error.
    pub code: Option<i64>,
    /// Meta's second code.
    pub subcode: Option<i64>,
    /// The HTTP status; absent if the request was refused before it was sent.
    pub status: Option<StatusCode>,
    /// Whether and when to try again.
    pub class: Class,
    /// What it concerns.
    pub scope: Scope,
    /// What it means and what to do, in plain words.
    pub hint: &'static str,
    /// Meta's text.
    pub message: Option<String>,
    /// What exactly is wrong, by Meta.
    pub details: Option<String>,
    /// What Meta wants people to read.
    pub user_message: Option<String>,
    /// Meta's trace, for a support request.
    pub trace_id: Option<String>,
    /// The pause Meta asks for.
    pub retry_after: Option<Duration>,
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("code", &self.code)
            .field("subcode", &self.subcode)
            .field("status", &self.status)
            .field("class", &self.class)
            .field("scope", &self.scope)
            .field("trace_id", &self.trace_id)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.status) {
            (Some(code), _) => write!(f, "WhatsApp error {code}")?,
            (None, Some(status)) => write!(f, "WhatsApp answered {status}")?,
            (None, None) => f.write_str("not a request to WhatsApp")?,
        }
        if let Some(subcode) = self.subcode {
            write!(f, " ({subcode})")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(f, ", trace {trace_id}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

/// 100 with this subcode: the object is missing, or hidden from the token.
const HIDDEN_OBJECT: (i64, i64) = (100, 33);

impl Rejection {
    /// Reads Graph's error object.
    pub(crate) fn read(error: &Object<'_>, response: &Response, now: DateTime<Utc>) -> Box<Self> {
        let code = error.int("code");
        let subcode = error.int("error_subcode");
        let (class, scope, hint) = meaning(code, subcode, response.status());
        let details = match error.object("error_data") {
            Some(data) => data.text("details"),
            // Old answers have a bare text here.
            None => error.text("error_data"),
        };
        Box::new(Self {
            code,
            subcode,
            status: Some(response.status()),
            class,
            scope,
            hint,
            message: error.text("message"),
            details,
            user_message: error
                .text("error_user_msg")
                .or_else(|| error.text("error_user_title")),
            trace_id: error
                .id("fbtrace_id")
                .or_else(|| response.header("x-fb-request-id").map(str::to_owned)),
            retry_after: pause(response, class, now),
        })
    }

    /// An answer without Graph's error object: from a proxy, or from the edge of Meta's network.
    pub(crate) fn from_status(response: &Response, now: DateTime<Utc>) -> Box<Self> {
        let (class, scope, hint) = meaning(None, None, response.status());
        let mut rejection = Self::local(class, scope, hint);
        rejection.status = Some(response.status());
        rejection.trace_id = response.header("x-fb-request-id").map(str::to_owned);
        rejection.retry_after = pause(response, class, now);
        rejection
    }

    pub(crate) fn local(class: Class, scope: Scope, hint: &'static str) -> Box<Self> {
        Box::new(Self {
            code: None,
            subcode: None,
            status: None,
            class,
            scope,
            hint,
            message: None,
            details: None,
            user_message: None,
            trace_id: None,
            retry_after: None,
        })
    }
}

fn meaning(
    code: Option<i64>,
    subcode: Option<i64>,
    status: StatusCode,
) -> (Class, Scope, &'static str) {
    if (code, subcode) == (Some(HIDDEN_OBJECT.0), Some(HIDDEN_OBJECT.1)) {
        let hint = "The number or account does not exist, or the access token may not see it.";
        return (Class::Wait, Scope::Credential, hint);
    }
    // Template errors come as a subcode of 100, which says more than the 100.
    let precise = subcode.filter(|_| code == Some(100)).and_then(codes::find);
    let listed = precise
        .or_else(|| codes::find(code?))
        .or_else(|| codes::find(subcode?));
    if let Some(entry) = listed {
        return (entry.class, entry.scope, entry.hint);
    }
    if status == StatusCode::UNAUTHORIZED {
        let hint = "WhatsApp did not accept the access token. Connect the channel with a new one.";
        return (Class::Wait, Scope::Credential, hint);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let first = Duration::from_secs(5);
        let hint = "Too many calls. Sending continues by itself more slowly.";
        return (Class::Backoff { first }, Scope::Number, hint);
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT || status.is_success() {
        let hint = "WhatsApp had a problem. The message may have been sent.";
        return (Class::Unknown, Scope::Message, hint);
    }
    let hint = "WhatsApp refused the request for a reason this version does not know.";
    (Class::Never, Scope::Message, hint)
}

/// The pause asked for: by the usual header, or by Meta's usage report (in minutes). The report
/// comes with every answer, so it counts only where the limit is what stopped the call.
fn pause(response: &Response, class: Class, now: DateTime<Utc>) -> Option<Duration> {
    let usage = response.header("x-business-use-case-usage");
    match class {
        Class::Backoff { .. } | Class::PairBackoff => response
            .retry_after(now)
            .or_else(|| usage.and_then(regain_after)),
        Class::Unknown => response.retry_after(now),
        Class::RetryNow | Class::Wait | Class::Never => None,
    }
}

/// The longest `estimated_time_to_regain_access` of a usage report, which is an object of lists by
/// account.
fn regain_after(header: &str) -> Option<Duration> {
    let raw: &RawValue = serde_json::from_str(header).ok()?;
    let report = Object::read(raw)?;
    let minutes = report
        .keys()
        .flat_map(|account| report.objects(account))
        .filter_map(|usage| usage.int("estimated_time_to_regain_access"))
        .max()?;
    let minutes = u64::try_from(minutes).ok().filter(|minutes| *minutes > 0)?;
    Some(Duration::from_secs(minutes.saturating_mul(60)))
}

/// Ids go into paths: anything but letters, digits, `-` and `_` would address something else.
pub(crate) fn checked_id(id: &str) -> Result<&str, Box<Rejection>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !id.is_empty() && id.len() <= 128 && id.bytes().all(plain) {
        return Ok(id);
    }
    let hint = "An id is not one of WhatsApp's. Check the ids of the channel.";
    Err(Rejection::local(Class::Never, Scope::Number, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_report_tells_when_calls_are_allowed_again() {
        let header = r#"{"1":[{"type":"a","estimated_time_to_regain_access":0},{"estimated_time_to_regain_access":3}],"2":[{"estimated_time_to_regain_access":7}]}"#;
        assert_eq!(regain_after(header), Some(Duration::from_mins(7)));
        let none = r#"{"1":[{"estimated_time_to_regain_access":0}]}"#;
        assert_eq!(regain_after(none), None);
        assert_eq!(regain_after("soon"), None);
    }

    #[test]
    fn ids_that_would_change_the_path_are_refused() {
        for id in ["", ".", "..", "1/2", "1?x", "1%2f", "1 2", "ä"] {
            assert!(checked_id(id).is_err(), "{id}");
        }
        assert_eq!(checked_id("106540352242922"), Ok("106540352242922"));
    }
}
