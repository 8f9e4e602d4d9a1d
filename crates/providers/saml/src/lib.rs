//! The service provider's side of SAML 2.0 Web Browser SSO: our metadata, the request that sends a person to their
//! identity provider, and the verification of what comes back. No database, no HTTP.
//!
//! Every bypass of the last years had one cause: the bytes that were verified were not the bytes that were read. So
//! a response passes four gates, in this order:
//!
//! 1. [`document`] refuses everything two XML parsers could read differently, before any parser runs.
//! 2. The shape: one assertion at its place, signatures of one profile at their places, no second `ID`.
//! 3. `xmlsec` (through `samael`) verifies the signatures with the pinned certificates and hands back the canonical
//!    bytes it digested. Certificates inside the document count for nothing.
//! 4. Only those bytes are parsed again, and only what is in them becomes an [`Assertion`].
//!
//! What is left to the caller:
//!
//! - **Replays.** An assertion is good once. Store [`Assertion::id`] together with the connection until
//!   [`Assertion::not_on_or_after`], refuse an id that is there, and forget a request id once it was answered.
//! - **Relay state.** It comes back unsigned; never redirect to it unchecked.
//! - **Whose provider.** Metadata belongs to one tenant's connection; look it up by the address that was called.
//!
//! What is not here: encrypted assertions (refused: the schemes in use are padding oracles), single logout, signed
//! requests, the artifact binding, and fetching metadata from an address.
//!
//! Some builds of `xmlsec` load their OpenSSL half when it is first used. Call [`self_test`] at start-up: without that
//! library no signature verifies, and every login would look like a forgery. `xmlsec` writes a line to standard error
//! for each signature that does not verify. The lines carry no personal data.
//!
//! Names in comments: "Core", "Bindings", "Profiles" and "Metadata" are the OASIS SAML 2.0 documents.

mod assertion;
pub mod attributes;
pub mod document;
pub mod metadata;
mod refusal;
mod response;
mod self_test;
mod service_provider;
mod tree;

pub use assertion::Assertion;
pub use document::DocumentFault;
pub use metadata::{Certificate, IdpMetadata, MetadataError, Transport};
pub use refusal::{Part, Refusal, Shown};
pub use response::{Expectation, Flow, MAX_AGE, MAX_LIFETIME, MAX_SKEW, verify};
pub use self_test::{SelfTestFailed, self_test};
pub use service_provider::{RequestError, ServiceProvider};
