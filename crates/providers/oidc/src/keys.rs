//! A provider's signing keys. The signatures themselves are checked by `openidconnect`.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use openidconnect::{
    AccessToken, AccessTokenHash, JsonWebKey, JsonWebKeyAlgorithm,
    core::{CoreJsonWebKey, CoreJsonWebKeyType, CoreJwsSigningAlgorithm},
};
use serde::Deserialize;
use serde_json::Value;

use crate::discovery::SetupFault;

/// How an ID token may be signed. Never `none`, and never by a shared secret: the allow-list is
/// this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// Reads the name, which is spelled exactly one way (RFC 7518, RFC 8037).
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }

    /// Those of a provider's algorithms that we accept.
    pub(crate) fn accepted(names: &[String]) -> Vec<Self> {
        names.iter().filter_map(|name| Self::parse(name)).collect()
    }

    const fn library(self) -> CoreJwsSigningAlgorithm {
        match self {
            Self::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            Self::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            Self::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            Self::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
        }
    }

    const fn key_type(self) -> CoreJsonWebKeyType {
        match self {
            Self::Rs256 | Self::Ps256 => CoreJsonWebKeyType::RSA,
            Self::Es256 => CoreJsonWebKeyType::EllipticCurve,
            Self::EdDsa => CoreJsonWebKeyType::OctetKeyPair,
        }
    }
}

/// The keys of a provider that can sign; never empty.
#[derive(Debug, Clone)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Debug, Clone)]
pub(crate) struct Key {
    jwk: CoreJsonWebKey,
    /// Whose tokens it signs: Microsoft publishes keys of several issuers in one set.
    issuer: Option<String>,
}

/// Why there is no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    Unknown,
    Ambiguous,
}

impl KeySet {
    /// More than any rotation needs; each key costs work on every login.
    pub(crate) const MAX_KEYS: usize = 100;

    /// Reads a JSON Web Key Set. Keys that we can't use are left out; keys that nobody should ever
    /// publish refuse the set.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, SetupFault> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document =
            serde_json::from_slice(body).map_err(|_| SetupFault::KeysInvalid)?;
        if document.keys.len() > Self::MAX_KEYS {
            return Err(SetupFault::TooManyKeys(Self::MAX_KEYS));
        }
        for key in &document.keys {
            if key["kty"] == "oct" || key.get("k").is_some() {
                return Err(SetupFault::SymmetricKey);
            }
            if key.get("d").is_some() {
                return Err(SetupFault::PrivateKey);
            }
        }
        let keys: Vec<Key> = document.keys.into_iter().filter_map(Key::new).collect();
        if keys.is_empty() {
            return Err(SetupFault::NoKeys);
        }
        Ok(Self(keys))
    }

    /// The one key a token can have been signed with.
    pub(crate) fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        belongs: impl Fn(&str) -> bool,
    ) -> Result<&Key, NoKey> {
        let mut fitting = self.0.iter().filter(|key| {
            id.is_none_or(|id| key.jwk.key_id().is_some_and(|known| known.as_str() == id))
                && key.can(algorithm)
                && key.issuer.as_deref().is_none_or(&belongs)
        });
        let first = fitting.next().ok_or(NoKey::Unknown)?;
        match fitting.next() {
            None => Ok(first),
            Some(_) => Err(NoKey::Ambiguous),
        }
    }
}

impl Key {
    fn new(jwk: Value) -> Option<Self> {
        let usable = match jwk["kty"].as_str()? {
            "RSA" => has_sound_modulus(&jwk),
            "EC" => jwk["crv"] == "P-256",
            "OKP" => jwk["crv"] == "Ed25519",
            _ => false,
        };
        let signs = jwk.get("use").is_none_or(|usage| usage == "sig");
        if !usable || !signs {
            return None;
        }
        let issuer = jwk["issuer"].as_str().map(str::to_owned);
        let jwk = serde_json::from_value(jwk).ok()?;
        Some(Self { jwk, issuer })
    }

    fn can(&self, algorithm: Algorithm) -> bool {
        *self.jwk.key_type() == algorithm.key_type()
            && match self.jwk.signing_alg() {
                JsonWebKeyAlgorithm::Unspecified => true,
                JsonWebKeyAlgorithm::Algorithm(only) => *only == algorithm.library(),
                JsonWebKeyAlgorithm::Unsupported => false,
            }
    }

    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.jwk
            .verify_signature(&algorithm.library(), message, signature)
            .is_ok()
    }

    /// The `at_hash` of an access token (OpenID Connect Core, section 3.1.3.6).
    pub(crate) fn access_token_hash(
        &self,
        algorithm: Algorithm,
        token: &AccessToken,
    ) -> Option<String> {
        AccessTokenHash::from_token(token, &algorithm.library(), &self.jwk)
            .ok()
            .map(|hash| hash.as_str().to_owned())
    }
}

/// From 2048 bits, below which RSA is too weak, to 4096, above which our library refuses to work.
fn has_sound_modulus(jwk: &Value) -> bool {
    let modulus = jwk["n"].as_str().unwrap_or_default();
    let Ok(modulus) = BASE64_URL_SAFE_NO_PAD.decode(modulus) else {
        return false;
    };
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let significant = &modulus[zeros..];
    let spare = significant.first().map_or(0, |byte| byte.leading_zeros());
    let bits = significant.len() * 8 - spare as usize;
    (2048..=4096).contains(&bits)
}

#[cfg(test)]
mod tests;
