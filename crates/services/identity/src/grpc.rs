//! The gRPC server: decode, call the operation, encode.

mod account;
mod audit;
mod convert;
mod people;
mod scim;
mod service;
mod sso;

pub(crate) use account::Account;
pub(crate) use audit::Audit;
pub(crate) use people::People;
pub(crate) use scim::Scim;
pub(crate) use service::Service;
pub(crate) use sso::Sso;
