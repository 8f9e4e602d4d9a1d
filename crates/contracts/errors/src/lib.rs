//! One vocabulary of failures. A component has its own `thiserror` enum and says, through
//! [`Classify`], which [`Code`] of the catalogue each variant is; from there one table leads to a
//! gRPC status and to a problem document (RFC 9457).
//!
//! What a caller reads (the code's title, the variant's `detail`) and what an operator reads (the
//! source chain in the log) are separate on purpose: internal text never leaves the process.

use http::StatusCode;

mod classify;
pub mod codes;
mod kind;
mod problem;
mod status;

pub use classify::{Classify, FieldViolation, chain};
pub use kind::Kind;
pub use problem::Problem;
pub use status::{status_of, to_status};

/// A stable, documented failure. The catalogue is [`codes`]; `docs/errors.md` is made from it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable machine name, `<area>.<reason>`. Never reused for another meaning.
    pub id: &'static str,
    /// What callers, consumers and jobs do about it.
    pub kind: Kind,
    /// The HTTP status where HTTP has a more exact one than the kind's.
    pub own_status: Option<StatusCode>,
    /// One plain sentence for a person.
    pub title: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

impl Code {
    /// The HTTP status of the problem document.
    pub const fn http(&self) -> StatusCode {
        match self.own_status {
            Some(status) => status,
            None => self.kind.http(),
        }
    }
}
