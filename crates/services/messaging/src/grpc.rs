//! The service's gRPC face: decode, call the operation, encode.

pub(crate) mod service;
pub(crate) mod watch;
