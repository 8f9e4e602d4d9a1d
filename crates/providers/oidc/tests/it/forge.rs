//! Tokens, honest and forged.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

/// A key of a provider.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    secret: SigningKey,
}

impl Key {
    /// The same seed makes the same key.
    pub(crate) fn new(id: &str, seed: u8) -> Self {
        Self {
            id: id.to_owned(),
            secret: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    fn public(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.secret.verifying_key().as_bytes())
    }

    /// As the provider publishes it.
    pub(crate) fn jwk(&self) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.id, "x": self.public(),
        })
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "JWT", "kid": self.id})
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    /// Signs under a header that may say something else.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = self.secret.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs as a shared secret would, with what everybody can read of the key, or with another
    /// text.
    pub(crate) fn sign_shared(&self, secret: Option<&str>, claims: &Value) -> String {
        let public = self.public();
        let signed = unsigned(&json!({"alg": "HS256", "kid": self.id}), claims);
        let secret = secret.unwrap_or(&public).as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        mac.update(signed.as_bytes());
        let signature = mac.finalize().into_bytes();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// Signed with nothing at all.
pub(crate) fn sign_none(name: &str, claims: &Value) -> String {
    format!("{}.", unsigned(&json!({ "alg": name }), claims))
}

/// The `at_hash` for Ed25519: the left half of SHA-512.
pub(crate) fn access_token_hash(token: &str) -> String {
    let hash = Sha512::digest(token.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..32])
}

/// The claims with these in their place; `null` takes one out.
pub(crate) fn changed(mut claims: Value, changes: &Value) -> Value {
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}
