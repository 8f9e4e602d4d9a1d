//! SCIM 2.0 (RFC 7643 and 7644) as the server of a directory's pushes: bodies, filters and patches
//! in, documents out. Pure: no database, no HTTP, no clock.
//!
//! Written here because no crate does the server's half: `scim_v2` 1.0 has models and a filter
//! grammar but applies no patch, `scim-server` 0.5 compares filters as texts, and `scim_proto` is
//! made for one identity provider; none knows what Entra and Okta send beside the RFC.
//!
//! Three decisions run through all of it:
//!
//! - One table of attributes ([`ResourceKind`]) decides how a body is read, patched, filtered,
//!   projected and described under `/Schemas`.
//! - Attributes we do not hold are skipped without error. A customer maps what he likes, and
//!   refusing one of them would lose the whole request, with an `active: false` in it.
//! - What arrives is read with tolerance, what leaves is exact: canonical names, no nulls.

#[macro_use]
mod kept_private;
pub mod answer;
pub mod discovery;
mod document;
mod error;
pub mod filter;
mod patch;
mod projection;
mod query;
mod resource;
mod schema;

pub use error::{Error, Fault, ScimType};
pub use filter::{Filter, Lookup};
pub use patch::{GroupChange, Patch, UserChange};
pub use projection::Projection;
pub use query::Query;
pub use resource::{Email, Group, GroupRef, Member, Meta, Name, Role, User, Version};
pub use schema::ResourceKind;

/// The media type of every answer. `application/json` is accepted beside it in requests
/// (RFC 7644, 3.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
