//! Who is calling, and what they may do.
//!
//! - An access token ([`TokenKey`] signs it, [`Verifier`] reads it) is a JWT that lives five minutes. Every service
//!   checks it by itself with the public keys of identity, which [`Jwks`] keeps.
//! - What a method asks of its caller stands in its proto file (`switchboard.options.v1.access`). [`GrpcLayer`] enforces
//!   it in front of every gRPC server, so an internal client gets the same answer as the public API.
//! - What a role may do is the casbin policy in `src/policy/policy.csv` ([`Policy`]).
//! - Our own services call each other with tokens of a [`ServiceTokenSource`].

mod context;
mod error;
mod grpc;
mod jwks;
mod jwt;
pub mod metadata;
mod policy;
mod principal;
mod refreshed;
mod remote;
mod revocations;
mod role;
mod service_tokens;

pub use context::{Origin, RequestContext, context};
pub use error::Error;
pub use grpc::{Authorizer, GrpcLayer, GrpcService};
pub use jwks::{Jwks, KeySource, KeySourceError};
pub use jwt::{LIFETIME, SignError, TokenKey, Verified, Verifier};
pub use metadata::{act_for, bearer};
pub use policy::{Policy, PolicyError};
pub use principal::{Conversations, Membership, Principal, Proof, Scopes, View};
pub use refreshed::{Fetched, Refreshed, Terms, Unanswered};
pub use remote::{RemoteIssuer, RemoteKeys, RemoteRevocations};
pub use revocations::{
    News, Revocation, RevocationSource, Revocations, RevocationsUnknown, Revoked,
};
pub use role::Role;
pub use service_tokens::{IssueError, IssuedToken, ServiceTokenSource, TokenIssuer};
