//! Keys that sign and verify.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use proto::identity::v1::Jwk;
use rand::{TryRngCore, rngs::OsRng};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{TYPE, claims::Claims};
use crate::Principal;

/// A token could not be signed: a bug.
#[derive(Debug, thiserror::Error)]
#[error("sign an access token")]
pub struct SignError(#[source] jsonwebtoken::errors::Error);

/// An Ed25519 key that signs access tokens. Only identity has one.
#[derive(Clone)]
pub struct TokenKey {
    kid: String,
    seed: Zeroizing<[u8; 32]>,
    public: [u8; 32],
    encoding: EncodingKey,
}

/// A public key of identity, ready to use.
pub(crate) type VerifyingKey = DecodingKey;

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl TokenKey {
    /// A new key.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        OsRng
            .try_fill_bytes(seed.as_mut_slice())
            .expect("the operating system always has random bytes once it has started");
        Self::from_seed(&seed)
    }

    /// The key made from these 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let public = signing.verifying_key().to_bytes();
        let der = signing
            .to_pkcs8_der()
            .expect("an Ed25519 key always has a PKCS#8 form");
        Self {
            kid: thumbprint(&public),
            seed: Zeroizing::new(*seed),
            public,
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
        }
    }

    /// The secret it is made from, to be sealed and stored.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Names the key in tokens: its thumbprint (RFC 7638), so that equal names mean equal keys.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, for publication (RFC 8037).
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: BASE64_URL_SAFE_NO_PAD.encode(self.public),
            kid: self.kid.clone(),
            alg: "EdDSA".to_owned(),
            r#use: "sig".to_owned(),
        }
    }

    /// An access token for `principal`, valid from `now` for `lifetime`, at most [`LIFETIME`](crate::LIFETIME).
    ///
    /// # Errors
    /// Never, unless this crate is wrong.
    pub fn sign(
        &self,
        principal: &Principal,
        now: DateTime<Utc>,
        lifetime: Duration,
    ) -> Result<SecretString, SignError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        let claims = Claims::new(principal, now, lifetime);
        jsonwebtoken::encode(&header, &claims, &self.encoding)
            .map(SecretString::from)
            .map_err(SignError)
    }
}

/// A published key as one that verifies; `None` for anything but an Ed25519 signature key.
pub(crate) fn verifying_key(jwk: &Jwk) -> Option<VerifyingKey> {
    let ours = jwk.kty == "OKP"
        && jwk.crv == "Ed25519"
        && matches!(jwk.alg.as_str(), "" | "EdDSA")
        && matches!(jwk.r#use.as_str(), "" | "sig")
        && super::compact::is_kid(&jwk.kid);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&jwk.x).ok()?;
    // 32 bytes, and a point of the curve: the verifier trusts both.
    ed25519_dalek::VerifyingKey::try_from(bytes.as_slice()).ok()?;
    ours.then(|| DecodingKey::from_ed_der(&bytes))
}

fn thumbprint(public: &[u8; 32]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public);
    // RFC 7638: the required members in alphabetical order, no blanks.
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // Appendix A.1 to A.3.
        let seed = BASE64_URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        let key = TokenKey::from_seed(seed.as_slice().try_into().unwrap());
        assert_eq!(key.jwk().x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_secret_half_is_not_printed() {
        let key = TokenKey::generate();
        let shown = format!("{key:?}");
        assert!(shown.contains(key.kid()));
        assert!(!shown.contains(&BASE64_URL_SAFE_NO_PAD.encode(key.seed())));
        assert!(!shown.contains("seed"));
    }
}
