//! Proof that a webhook comes from Resend, by the scheme of Svix (Standard Webhooks 1.0): `svix-signature` lists
//! HMACs over the delivery's id, its time and the body's bytes.
//!
//! Verify over the bytes as they arrived: a body that was parsed and written again does not verify.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header with the delivery's id. Repetitions of a delivery keep it, so it is what to deduplicate by.
pub const ID_HEADER: &str = "svix-id";
/// The header with the time of the attempt, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "svix-timestamp";
/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "svix-signature";

/// More secrets than these would let a caller buy CPU time.
pub const MAX_SECRETS: usize = 3;
/// As above. A sender signs with each of its active secrets, of which there are two during a rotation.
pub const MAX_SIGNATURES: usize = 8;
/// How far the time of a delivery may be from ours, both ways: what is older may be a replay.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(300);

/// Standard Webhooks: a secret has 192 to 512 bits.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const MAX_ID_LENGTH: usize = 256;

/// The secret of a webhook endpoint, during a rotation with an end.
#[derive(Debug, Clone)]
pub struct SigningSecret {
    key: SecretSlice<u8>,
    expires_at: Option<DateTime<Utc>>,
}

/// The secrets of one endpoint: one, or up to three during a rotation.
#[derive(Clone)]
pub struct SigningSecrets(Vec<SigningSecret>);

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecrets({})", self.0.len())
    }
}

/// Secrets that can't be used: a mistake to stop at start-up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// None at all.
    #[error("at least one signing secret is needed")]
    None,
    /// Too many.
    #[error("at most {MAX_SECRETS} signing secrets may be active")]
    TooMany,
    /// Not as Resend shows it.
    #[error("a signing secret is `whsec_` and the base64 of 24 to 64 bytes")]
    Malformed,
}

/// Why a delivery is refused. Answer 401: Resend then repeats it, which is right during a rotation that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is absent.
    #[error("the signature is missing")]
    Missing,
    /// A header is not as the scheme writes it, or lists too many signatures.
    #[error("the signature is malformed")]
    Malformed,
    /// Too old or from the future.
    #[error("the delivery is not of this time")]
    Stale,
    /// Made with another secret or over something else.
    #[error("the signature does not match")]
    Mismatch,
}

/// The three headers of a delivery as they arrived. A repeated header is for the caller to refuse.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'h> {
    /// [`ID_HEADER`].
    pub id: Option<&'h [u8]>,
    /// [`TIMESTAMP_HEADER`].
    pub timestamp: Option<&'h [u8]>,
    /// [`SIGNATURE_HEADER`].
    pub signature: Option<&'h [u8]>,
}

impl SigningSecret {
    /// A secret as Resend shows it, without an end.
    ///
    /// # Errors
    /// [`SecretsError::Malformed`].
    pub fn new(secret: &SecretString) -> Result<Self, SecretsError> {
        let encoded = secret.expose_secret().strip_prefix("whsec_");
        let key = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let key = key.filter(|key| SECRET_BYTES.contains(&key.len()));
        Ok(Self {
            key: key.ok_or(SecretsError::Malformed)?.into(),
            expires_at: None,
        })
    }

    /// The same secret, which stops counting at a time.
    #[must_use]
    pub fn until(self, expires_at: DateTime<Utc>) -> Self {
        Self {
            expires_at: Some(expires_at),
            ..self
        }
    }

    fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    fn mac(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret())
            .expect("HMAC takes keys of any length");
        for part in [id, b".", timestamp, b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl SigningSecrets {
    /// The secrets to verify with.
    ///
    /// # Errors
    /// [`SecretsError`] for none or too many.
    pub fn new(secrets: Vec<SigningSecret>) -> Result<Self, SecretsError> {
        match secrets.len() {
            0 => Err(SecretsError::None),
            1..=MAX_SECRETS => Ok(Self(secrets)),
            _ => Err(SecretsError::TooMany),
        }
    }

    /// Verifies a delivery against its body as it arrived, and returns its id. Takes as long for a wrong signature as
    /// for the right one, and as long for the first secret as for the last.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify<'h>(
        &self,
        headers: Headers<'h>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<&'h str, SignatureError> {
        let missing = SignatureError::Missing;
        let id = read_id(headers.id.ok_or(missing)?)?;
        let timestamp = headers.timestamp.ok_or(missing)?;
        let at = read_timestamp(timestamp)?;
        let given = read_signatures(headers.signature.ok_or(missing)?)?;
        if (now.timestamp() - at).abs() > TOLERANCE.num_seconds() {
            return Err(SignatureError::Stale);
        }
        let mut matches = Choice::from(0);
        for secret in self.0.iter().filter(|secret| secret.is_active(now)) {
            let mac = secret.mac(id.as_bytes(), timestamp, body);
            for signature in &given {
                matches |= mac.ct_eq(signature);
            }
        }
        if bool::from(matches) {
            Ok(id)
        } else {
            Err(SignatureError::Mismatch)
        }
    }
}

/// Without dots, which separate what is signed: else a part of the id could pass for the time.
fn read_id(header: &[u8]) -> Result<&str, SignatureError> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let sound = (1..=MAX_ID_LENGTH).contains(&header.len()) && header.iter().all(plain);
    let id = std::str::from_utf8(header).ok().filter(|_| sound);
    id.ok_or(SignatureError::Malformed)
}

/// Digits only, and few enough for any time to come: one spelling per time.
fn read_timestamp(header: &[u8]) -> Result<i64, SignatureError> {
    let sound = (1..=12).contains(&header.len()) && header.iter().all(u8::is_ascii_digit);
    let digits = std::str::from_utf8(header).ok().filter(|_| sound);
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or(SignatureError::Malformed)
}

/// The `v1` signatures. Other versions (`v1a` is asymmetric) are for other receivers.
fn read_signatures(header: &[u8]) -> Result<Vec<[u8; 32]>, SignatureError> {
    let mut entries = header.split(|byte| *byte == b' ');
    let mut found = Vec::new();
    for entry in entries.by_ref().take(MAX_SIGNATURES) {
        if let Some(encoded) = entry.strip_prefix(b"v1,") {
            found.push(decode(encoded)?);
        }
    }
    if found.is_empty() || entries.next().is_some() {
        return Err(SignatureError::Malformed);
    }
    Ok(found)
}

fn decode(encoded: &[u8]) -> Result<[u8; 32], SignatureError> {
    // The base64 of 32 bytes: nothing longer is worth decoding.
    if encoded.len() != 44 {
        return Err(SignatureError::Malformed);
    }
    let decoded = STANDARD.decode(encoded).ok();
    decoded
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(SignatureError::Malformed)
}

#[cfg(test)]
mod tests;
