//! The service's gRPC face: decode, call the operation, encode.

pub(crate) mod channel_health;
pub(crate) mod contacts;
pub(crate) mod service;
pub(crate) mod templates;
pub(crate) mod watch;
