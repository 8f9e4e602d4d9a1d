//! Access tokens: JWTs as RFC 9068 describes them (`typ: at+jwt`), signed with Ed25519 and nothing else.

mod claims;
mod compact;
mod genuine;
mod key;
mod verifier;

use std::time::Duration;

pub use key::{SignError, TokenKey};
pub(crate) use key::{VerifyingKey, verifying_key};
pub use verifier::{Verified, Verifier};

/// Who issues our tokens.
const ISSUER: &str = "switchboard-identity";
/// For whom: our services. A token of another system that shares a key by mistake does not pass.
const AUDIENCE: &str = "switchboard";
/// RFC 9068: keeps an id token from being used as an access token.
const TYPE: &str = "at+jwt";

/// The longest an access token lives. Services ask for revocations twice a second; while they can't, a revoked session or
/// key works until its last token expires, so this is the bound of a revocation nobody could hear of.
pub const LIFETIME: Duration = Duration::from_mins(5);
