//! Files of organizations, by what is in them: `<organization>/<sha256>` in a folder or in S3. The same bytes are kept
//! once per organization, however often they come.
//!
//! Bytes of strangers arrive in a [`Spool`] first, a nameless file that vanishes with the process. Only what has its
//! size and its hash, and has passed whatever its owner wants to know of it, is kept: nothing half-written and nothing
//! unchecked ever has a name.

// Linked for a feature: `object_store` has no TLS of its own.
use reqwest as _;

mod config;
mod digest;
mod error;
mod spool;
mod store;

pub use config::{BlobsConfig, Provider};
pub use digest::{Digest, DigestInvalid};
pub use error::BlobError;
pub use spool::{HEAD_BYTES, Spool, Spooled};
pub use store::{Blob, Kept, Store};
