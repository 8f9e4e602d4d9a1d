//! Other people's HTTP, in one place: a traced client with a deadline on every call, a bounded
//! response, an optional bounded retry, a circuit breaker, and a network guard for addresses that
//! tenants choose.
//!
//! The heart of the crate is its [`Error`]: it says whether a request was *surely not sent* or
//! whether its outcome is *unknown*. A message to a customer is repeated only after the former, so
//! the line is drawn conservatively: whatever may have left the machine counts as unknown.
//!
//! The binary installs the TLS provider before the first [`Client::new`]:
//! `rustls::crypto::ring::default_provider().install_default()`.

pub mod breaker;
mod call;
mod client;
mod config;
mod error;
pub mod guard;
mod request;
mod response;
mod retry;
mod trace;

pub use client::{BuildError, Client};
pub use config::{Config, Network};
pub use error::{Error, NotSent, Unknown};
pub use request::Request;
/// Request bodies and multipart forms, and the URL type of [`Client::request`].
pub use reqwest::{Body, Url, multipart};
pub use response::{Response, Streaming};
pub use retry::Retry;
