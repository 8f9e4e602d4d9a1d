//! What Resend says when it says no.

use std::fmt;

use http::StatusCode;
use outbound::Response;
use resend_rs::types::ErrorKind;
use serde_json::Value;

/// An answer that is an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The status of the answer.
    pub status: StatusCode,
    /// Resend's name for the error, `validation_error`. Absent in answers of whatever stands before Resend.
    pub name: Option<String>,
    /// Resend's words. Not for logs: they quote addresses.
    pub message: Option<String>,
}

/// What an error means for the e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Too many calls in this second.
    TooFast,
    /// Another call with the key, or on the same thing, is under way.
    Busy,
    /// Resend has a problem.
    Down,
    DailyQuota,
    MonthlyQuota,
    /// This e-mail will never be taken.
    Never,
    /// No e-mail will be taken until a person corrects the key, the sender or the address of the API.
    Settings,
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("status", &self.status)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resend answered {}", self.status.as_u16())?;
        match &self.name {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Rejection {}

impl Rejection {
    pub(crate) fn read(response: &Response) -> Self {
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        Self {
            status: response.status(),
            name: text("name").filter(|name| is_name(name)).map(str::to_owned),
            message: text("message").map(str::to_owned),
        }
    }

    pub(crate) fn meaning(&self) -> Meaning {
        let by_name = self.name.as_deref().and_then(|name| self.named(name));
        by_name.unwrap_or_else(|| by_status(self.status))
    }

    /// What Resend's list of errors says. `None` for names that are not on it.
    fn named(&self, name: &str) -> Option<Meaning> {
        Some(match ErrorKind::from(name) {
            ErrorKind::RateLimitExceeded => Meaning::TooFast,
            ErrorKind::ConcurrentIdempotentRequests | ErrorKind::ResourceLocked => Meaning::Busy,
            ErrorKind::ApplicationError | ErrorKind::ServiceUnavailable => Meaning::Down,
            ErrorKind::DailyQuotaExceeded => Meaning::DailyQuota,
            ErrorKind::MonthlyQuotaExceeded => Meaning::MonthlyQuota,
            // 403: the sender's domain is not verified, or the account may only write to itself.
            ErrorKind::ValidationError if self.status == StatusCode::FORBIDDEN => Meaning::Settings,
            ErrorKind::MissingApiKey
            | ErrorKind::RestrictedApiKey
            | ErrorKind::InvalidPermission
            | ErrorKind::SuspendedApiKey
            | ErrorKind::NotFound
            | ErrorKind::MethodNotAllowed => Meaning::Settings,
            ErrorKind::ValidationError
            | ErrorKind::InvalidIdempotencyKey
            // The key was used for another e-mail, which was taken.
            | ErrorKind::InvalidIdempotentRequest
            | ErrorKind::InvalidAttachment
            | ErrorKind::InvalidParameter
            | ErrorKind::MissingRequiredField
            | ErrorKind::MissingRequiredParameter => Meaning::Never,
            _ => return unlisted(name),
        })
    }
}

/// Names of Resend's documentation that the crate does not know.
fn unlisted(name: &str) -> Option<Meaning> {
    match name {
        "invalid_api_key" | "invalid_from_address" | "invalid_access" | "invalid_region" => {
            Some(Meaning::Settings)
        }
        "internal_server_error" => Some(Meaning::Down),
        "security_error" => Some(Meaning::Never),
        _ => None,
    }
}

fn by_status(status: StatusCode) -> Meaning {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Meaning::TooFast,
        StatusCode::CONFLICT => Meaning::Busy,
        StatusCode::REQUEST_TIMEOUT => Meaning::Down,
        // 403 without a name comes from the network before Resend, which refuses calls without a `User-Agent`.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED => Meaning::Settings,
        _ if status.is_server_error() => Meaning::Down,
        _ if status.is_client_error() => Meaning::Never,
        // We follow no redirects: the address of the API is wrong.
        _ => Meaning::Settings,
    }
}

/// Names get into logs, so nothing else may pass for one.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
