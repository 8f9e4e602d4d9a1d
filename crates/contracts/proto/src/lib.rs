//! Everything `proto/` says, generated at build time from one descriptor set:
//!
//! - messages, gRPC clients and servers ([`identity`], [`messaging`], [`edge`]), proto3 JSON;
//! - per service a `…Validated` and a `…Forward` wrapper;
//! - the REST transcoder ([`rest`]) and the OpenAPI document ([`OPENAPI`]);
//! - the [`access`] table and the registry of domain [`events`].

pub mod access;
pub mod events;
mod validation;

// `allow`, not `expect`: which lints generated code trips depends on the proto files.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code is not reviewed by lints"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

/// The REST annotations, which our descriptors refer to.
pub use generated::google;
pub use generated::switchboard;
pub use switchboard::{common, edge, identity, messaging, options};

/// The REST API over the services' server traits.
pub mod rest {
    use super::switchboard;
    include!(concat!(env!("OUT_DIR"), "/transcoder.rest.rs"));
}

/// The encoded descriptor set, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// The OpenAPI 3.1 document of the public API, JSON.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
