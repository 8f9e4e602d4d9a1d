use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

/// NIST SP 800-131A: shorter keys are disallowed.
const MIN_RSA_BITS: usize = 2048;
/// P-256, P-384 and P-521.
const CURVES: [&str; 3] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

/// Why a certificate can't be trusted with signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// The text is something else.
    #[error("the text is not base64")]
    NotBase64,
    /// The bytes are something else.
    #[error("it is not an X.509 certificate")]
    NotX509,
    /// Could be broken.
    #[error("its RSA key has {bits} bits; at least {MIN_RSA_BITS} are needed")]
    WeakKey {
        /// Of the modulus.
        bits: usize,
    },
    /// DSA, Edwards curves, unusual curves.
    #[error("its key is neither RSA nor an elliptic curve key on P-256, P-384 or P-521")]
    KeyType,
}

/// A pinned signing certificate: a key with a description. Neither its issuer nor its validity is checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

impl Certificate {
    /// DER in base64, with line breaks wherever.
    pub(crate) fn from_base64(text: &str) -> Result<Self, CertificateFault> {
        let compact: String = text.split_ascii_whitespace().collect();
        let der = STANDARD
            .decode(compact)
            .map_err(|_| CertificateFault::NotBase64)?;
        Self::parse(der)
    }

    fn parse(der: Vec<u8>) -> Result<Self, CertificateFault> {
        let (rest, certificate) =
            X509Certificate::from_der(&der).map_err(|_| CertificateFault::NotX509)?;
        if !rest.is_empty() {
            return Err(CertificateFault::NotX509);
        }
        check_key(&certificate)?;
        let validity = certificate.validity();
        let (not_before, not_after) = time(validity.not_before)
            .zip(time(validity.not_after))
            .ok_or(CertificateFault::NotX509)?;
        let subject = certificate.subject().to_string();
        Ok(Self {
            der,
            subject,
            not_before,
            not_after,
        })
    }

    /// The bytes.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the bytes in lower-case hexadecimal, as providers show it.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(&self.der))
    }

    /// Whom it names.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Its start.
    pub const fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// Its end.
    pub const fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint())
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn check_key(certificate: &X509Certificate<'_>) -> Result<(), CertificateFault> {
    let key = certificate.public_key();
    match key.parsed().map_err(|_| CertificateFault::NotX509)? {
        PublicKey::RSA(rsa) if rsa.key_size() >= MIN_RSA_BITS => Ok(()),
        PublicKey::RSA(rsa) => Err(CertificateFault::WeakKey {
            bits: rsa.key_size(),
        }),
        PublicKey::EC(_) => {
            let curve = key.algorithm.parameters.as_ref();
            let curve = curve.and_then(|curve| curve.as_oid().ok());
            let is_known =
                curve.is_some_and(|curve| CURVES.contains(&curve.to_id_string().as_str()));
            if is_known {
                Ok(())
            } else {
                Err(CertificateFault::KeyType)
            }
        }
        _ => Err(CertificateFault::KeyType),
    }
}

fn time(time: ASN1Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.timestamp(), 0)
}
