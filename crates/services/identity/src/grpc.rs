//! The gRPC server: decode, call the operation, encode.

mod convert;
mod service;

pub(crate) use service::Service;
