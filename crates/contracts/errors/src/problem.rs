//! RFC 9457 problem documents.

use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use tonic_types::StatusExt;

use crate::{Code, FieldViolation, Kind, codes, status::DOMAIN};

/// The body of every error of the public API, served as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Identifies the kind of problem; a page of the documentation.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// One plain sentence, the same for every occurrence.
    pub title: String,
    /// The HTTP status, repeated for clients that lose it.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Stable machine name.
    pub code: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Finds the request in our logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The fields at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldViolation>,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// The problem of a catalogue entry, with its title as detail.
    pub fn new(code: &'static Code) -> Self {
        Self {
            type_uri: format!("https://switchboard.example/errors#{}", code.id),
            title: code.title.to_owned(),
            status: code.http().as_u16(),
            detail: code.title.to_owned(),
            code: code.id.to_owned(),
            help: Some(code.help.to_owned()),
            request_id: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// The problem a gRPC status stands for. A status that did not come from our catalogue (a
    /// transport failure, a framework's refusal) is told by its gRPC code alone; its message is
    /// dropped where it could reveal internals.
    pub fn from_status(status: &tonic::Status) -> Self {
        let details = status.get_error_details();
        let known = details
            .error_info()
            .filter(|info| info.domain == DOMAIN)
            .and_then(|info| codes::find(&info.reason));
        let code = known.unwrap_or_else(|| fallback(status.code()));
        let mut problem = Self::new(code);
        if known.is_some() || (code.kind == Kind::Invalid && !status.message().is_empty()) {
            status.message().clone_into(&mut problem.detail);
        }
        if let Some(bad_request) = details.bad_request() {
            problem.errors = bad_request
                .field_violations
                .iter()
                .map(|violation| FieldViolation::new(&violation.field, &violation.description))
                .collect();
        }
        problem.retry_after = details
            .retry_info()
            .and_then(|info| info.retry_delay)
            .map(whole_seconds);
        if !problem.errors.is_empty() {
            problem.status = StatusCode::UNPROCESSABLE_ENTITY.as_u16();
        }
        problem
    }

    /// Replaces the detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The HTTP status to answer with.
    pub fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// `Retry-After` has whole seconds: rounding down would invite a caller back too early.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

fn fallback(code: tonic::Code) -> &'static Code {
    use tonic::Code as Grpc;
    match code {
        Grpc::InvalidArgument | Grpc::OutOfRange => &codes::REQUEST_INVALID,
        Grpc::Unauthenticated => &codes::AUTH_UNAUTHENTICATED,
        Grpc::PermissionDenied => &codes::AUTH_FORBIDDEN,
        Grpc::NotFound | Grpc::Unimplemented => &codes::NOT_FOUND,
        Grpc::AlreadyExists => &codes::ALREADY_EXISTS,
        Grpc::Aborted => &codes::CONFLICT,
        Grpc::FailedPrecondition => &codes::PRECONDITION_FAILED,
        Grpc::ResourceExhausted => &codes::RATE_LIMITED,
        Grpc::Unavailable => &codes::UNAVAILABLE,
        Grpc::DeadlineExceeded | Grpc::Cancelled => &codes::TIMEOUT,
        Grpc::Ok | Grpc::Unknown | Grpc::Internal | Grpc::DataLoss => &codes::INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Classify, status_of, to_status};

    #[derive(Debug)]
    struct Refused(&'static Code);

    impl std::fmt::Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("password=hunter2")
        }
    }
    impl std::error::Error for Refused {}
    impl Classify for Refused {
        fn code(&self) -> &'static Code {
            self.0
        }
        fn fields(&self) -> Vec<FieldViolation> {
            if self.0.kind == Kind::Invalid {
                vec![FieldViolation::new("to", "must be a phone number")]
            } else {
                Vec::new()
            }
        }
        fn retry_after(&self) -> Option<Duration> {
            (self.0.kind == Kind::RateLimited).then(|| Duration::from_millis(1_200))
        }
    }

    #[test]
    fn every_code_keeps_its_name_and_status_across_grpc() {
        for code in codes::ALL {
            let problem = Problem::from_status(&status_of(code));
            assert_eq!(problem.code, code.id);
            assert_eq!(problem.status, code.http().as_u16(), "{}", code.id);
        }
    }

    #[test]
    fn an_error_never_shows_its_internal_words() {
        for code in codes::ALL {
            let status = to_status(&Refused(code));
            let json = serde_json::to_string(&Problem::from_status(&status)).expect("serializable");
            assert!(!json.contains("hunter2"), "{}", code.id);
        }
    }

    #[test]
    fn wrong_fields_are_named_and_answered_with_422() {
        let problem = Problem::from_status(&to_status(&Refused(&codes::REQUEST_INVALID)));
        assert_eq!(problem.status, 422);
        assert_eq!(problem.errors[0].field, "to");
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        let problem = Problem::from_status(&to_status(&Refused(&codes::RATE_LIMITED)));
        assert_eq!(problem.retry_after, Some(2));
    }

    #[test]
    fn a_foreign_internal_status_loses_its_message() {
        let problem = Problem::from_status(&tonic::Status::unknown("h2 protocol error: secret"));
        assert_eq!(problem.code, "internal");
        assert!(!problem.detail.contains("secret"));
    }
}
