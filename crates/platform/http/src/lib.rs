//! What every public HTTP border of ours has in common: errors are problem documents (RFC 9457)
//! with a request id, bodies are read within limits, JSON mistakes name the field, and each answer
//! carries the basic security headers.
//!
//! Handlers return a [`ProblemResponse`] where they fail; the [`Border`] layer around the router
//! does the rest, and turns whatever a framework answers by itself (404, 405, 413, a panic) into
//! the same form.

pub mod body;
mod border;
pub mod client;
pub mod json;
mod problem;
pub mod refusal;
mod security;

pub use border::{Border, BorderService, ForeignError};
pub use chassis::{REQUEST_ID, RequestId};
pub use problem::{PROBLEM_JSON, ProblemResponse};
