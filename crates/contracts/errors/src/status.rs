//! Error → gRPC status, with the details of `google.rpc` that survive every hop.

use std::collections::HashMap;

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::{Classify, Code, Kind, chain};

/// `ErrorInfo.domain` of every status we make.
pub(crate) const DOMAIN: &str = "switchboard";

/// Turns a classified error into the status a caller gets, and logs the ones that are our fault:
/// this is the border where an error is handled, so it is the one place that logs it.
pub fn to_status<E: Classify>(error: &E) -> Status {
    let code = error.code();
    match code.kind {
        Kind::Internal => {
            tracing::error!(
                error.code = code.id,
                error.chain = chain(error),
                "request failed"
            );
        }
        Kind::Unavailable | Kind::Timeout => {
            tracing::warn!(
                error.code = code.id,
                error.chain = chain(error),
                "dependency failed"
            );
        }
        _ => {
            tracing::debug!(
                error.code = code.id,
                error.chain = chain(error),
                "request refused"
            );
        }
    }
    // An internal error's own words stay in the log.
    let detail = if code.kind == Kind::Internal {
        code.title.into()
    } else {
        error.detail()
    };
    let mut details = error_info(code);
    for violation in error.fields() {
        details.add_bad_request_violation(violation.field, violation.message);
    }
    if let Some(delay) = error.retry_after() {
        details.set_retry_info(Some(delay));
    }
    Status::with_error_details(code.kind.grpc(), detail, details)
}

/// The status of a catalogue entry that needs no more words than its title.
pub fn status_of(code: &'static Code) -> Status {
    Status::with_error_details(code.kind.grpc(), code.title, error_info(code))
}

fn error_info(code: &'static Code) -> ErrorDetails {
    ErrorDetails::with_error_info(code.id, DOMAIN, HashMap::new())
}
