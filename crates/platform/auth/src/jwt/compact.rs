//! The compact form, `header.claims.signature`, read strictly before anything is believed.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::TYPE;
use crate::Error;

/// Longest token we read. Ours have about 500 characters; scopes make some longer.
const MAX_LENGTH: usize = 8 * 1024;
/// Longest key id.
pub(crate) const KID_LENGTH: usize = 64;
/// Bytes of an Ed25519 signature.
const SIGNATURE_LENGTH: usize = 64;

/// A well-formed token whose signature was not checked yet.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    pub(super) kid: String,
    /// What is signed: header and claims as they came.
    pub(super) message: &'a str,
    /// Base64url, of the right length.
    pub(super) signature: &'a str,
    claims: &'a str,
}

/// The only header we accept. `deny_unknown_fields` refuses `jwk`, `jku`, `x5u`, `x5c` (keys that the sender chose),
/// `crit` and `b64` (RFC 7797), and `enc` of an encrypted token, without naming any of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl<'a> Compact<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_LENGTH {
            return Err(Error::Invalid("too long"));
        }
        let (message, signature) = token
            .rsplit_once('.')
            .ok_or(Error::Invalid("not three parts"))?;
        let (header, claims) = message
            .split_once('.')
            .ok_or(Error::Invalid("not three parts"))?;
        if claims.contains('.') {
            return Err(Error::Invalid("not three parts"));
        }
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| Error::Invalid("an unexpected header"))?;
        if header.alg != "EdDSA" {
            return Err(Error::Invalid("another algorithm"));
        }
        if header.typ != TYPE {
            return Err(Error::Invalid("another type"));
        }
        if !is_kid(&header.kid) {
            return Err(Error::Invalid("an impossible key id"));
        }
        if decode(signature)?.len() != SIGNATURE_LENGTH {
            return Err(Error::Invalid("a signature of the wrong length"));
        }
        Ok(Self {
            kid: header.kid,
            message,
            signature,
            claims,
        })
    }

    /// The claims; to be read only after the signature was checked.
    pub(super) fn claims<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Error> {
        serde_json::from_slice(&decode(self.claims)?)
            .map_err(|_| Error::Invalid("unexpected claims"))
    }
}

/// Ids of our keys are base64url, so nothing in one can be a path or a query.
pub(crate) fn is_kid(kid: &str) -> bool {
    (1..=KID_LENGTH).contains(&kid.len())
        && kid
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Strict: no padding, no blanks, no bits left over, so one value has one spelling.
fn decode(text: &str) -> Result<Vec<u8>, Error> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Error::Invalid("not base64url"))
}
