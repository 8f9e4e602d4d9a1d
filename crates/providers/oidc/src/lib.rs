//! Logging people in at their organization's identity provider, by OpenID Connect: discovery,
//! the way there, the way back, and who it is. No database and no HTTP server; HTTP goes out
//! through [`outbound`] with its network guard, since tenants choose the addresses.
//!
//! Requests and signatures are `openidconnect`'s. The claims of a token are checked here: that
//! library reads an issuer as a URL, which one of Google's two spellings is not, does not look at
//! `azp`, and refuses whole tokens for optional claims of an odd type.
//!
//! # What the caller must do
//! - Keep [`Pending`] sealed on our side or in a cookie, bound to the browser that began by a
//!   cookie that comes back with the provider's redirect (not `SameSite=Strict`). The state proves that an answer belongs to a login we
//!   began, not that it is this browser's: without the cookie an attacker could log a victim in
//!   as himself.
//! - Take `Pending` out of its store *before* [`Client::finish`], so that each is used once.
//! - Give every connection a redirect address of its own and look the connection up by that
//!   address, never by what the answer says.
//! - Know people by `(connection, issuer, subject)`, never by e-mail address. An address links an
//!   existing account only if [`Email::verified`] and the connection owns that address's domain.

mod cache;
mod client;
mod discovery;
mod exchange;
mod http;
mod identity;
mod issuer;
mod keys;
mod login;
mod refusal;
mod settings;
mod shown;
mod token;
mod userinfo;

pub use client::{Client, Config, Lifetimes, Provider};
pub use discovery::{Faults, SetupFault};
pub use http::{Endpoint, Limits, Trouble};
pub use identity::{Email, Groups, Identity};
pub use login::{Begun, Callback, Pending};
pub use refusal::Refusal;
pub use settings::{Kind, Settings};
pub use shown::Shown;
