//! Proof that a webhook comes from Meta: `X-Hub-Signature-256`, an HMAC-SHA256 of the body's bytes
//! with the app secret.
//!
//! Verify over the bytes as they arrived. Meta escapes non-ASCII text and slashes, so a body that
//! was parsed and written again does not verify.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

use crate::mac::hmac_sha256;

/// The header with the signature.
pub const HEADER: &str = "x-hub-signature-256";

/// More secrets than these would let a caller buy CPU time.
pub const MAX_SECRETS: usize = 3;

/// A secret of a Meta app, during a rotation with an end.
#[derive(Debug, Clone)]
pub struct AppSecret {
    value: SecretString,
    expires_at: Option<DateTime<Utc>>,
}

impl AppSecret {
    /// A secret without an end.
    pub const fn new(value: SecretString) -> Self {
        Self {
            value,
            expires_at: None,
        }
    }

    /// A secret that stops counting at a time.
    pub const fn until(value: SecretString, expires_at: DateTime<Utc>) -> Self {
        Self {
            value,
            expires_at: Some(expires_at),
        }
    }

    fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// The secrets of one Meta app: one, or up to three during a rotation.
#[derive(Clone)]
pub struct AppSecrets(Vec<AppSecret>);

impl fmt::Debug for AppSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppSecrets({})", self.0.len())
    }
}

/// Secrets that can't be used: a mistake to stop at start-up for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// None at all.
    #[error("at least one app secret is needed")]
    None,
    /// Too many.
    #[error("at most {MAX_SECRETS} app secrets may be active")]
    TooMany,
    /// An empty one, with which anybody could sign.
    #[error("an app secret is empty")]
    Empty,
}

/// Why a delivery is refused. Answer 401: Meta then repeats it, which is right during a rotation
/// that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No header.
    #[error("the signature is missing")]
    Missing,
    /// Not `sha256=` and 64 lower-case hex digits.
    #[error("the signature is malformed")]
    Malformed,
    /// Made with another secret or over another body.
    #[error("the signature does not match")]
    Mismatch,
}

impl AppSecrets {
    /// The secrets to verify with.
    ///
    /// # Errors
    /// [`SecretsError`] for none, too many or an empty one.
    pub fn new(secrets: Vec<AppSecret>) -> Result<Self, SecretsError> {
        if secrets.is_empty() {
            return Err(SecretsError::None);
        }
        if secrets.len() > MAX_SECRETS {
            return Err(SecretsError::TooMany);
        }
        if secrets
            .iter()
            .any(|secret| secret.value.expose_secret().is_empty())
        {
            return Err(SecretsError::Empty);
        }
        Ok(Self(secrets))
    }

    /// Verifies the header's value against the body as it arrived. A repeated header is for the
    /// caller to refuse. Takes as long for a wrong signature as for the right one, and as long for
    /// the first secret as for the last.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(
        &self,
        header: Option<&[u8]>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        let given = decode(header.ok_or(SignatureError::Missing)?)?;
        let mut matches = Choice::from(0);
        for secret in self.0.iter().filter(|secret| secret.is_active(now)) {
            matches |= mac(&secret.value, body).ct_eq(&given);
        }
        if bool::from(matches) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// Signs a body with the first secret, as Meta does: for the sandbox and for tests.
    pub fn sign(&self, body: &[u8]) -> String {
        let mac = self.0.first().map(|secret| mac(&secret.value, body));
        format!("sha256={}", hex::encode(mac.unwrap_or_default()))
    }
}

fn mac(secret: &SecretString, body: &[u8]) -> [u8; 32] {
    hmac_sha256(secret.expose_secret().as_bytes(), body)
}

/// Exactly Meta's spelling. Upper-case digits are refused: Meta never writes them, and one spelling
/// per signature leaves no room for variants.
fn decode(header: &[u8]) -> Result<[u8; 32], SignatureError> {
    let digits = header
        .strip_prefix(b"sha256=")
        .ok_or(SignatureError::Malformed)?;
    if digits.iter().any(u8::is_ascii_uppercase) {
        return Err(SignatureError::Malformed);
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| SignatureError::Malformed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
