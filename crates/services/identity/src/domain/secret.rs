//! Secrets that we make, show once and keep as a hash.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What every API key begins with, so that people and secret scanners recognise one.
const API_KEY: &str = "sbk_";
/// What every token of a directory begins with.
const DIRECTORY_TOKEN: &str = "sbd_";
/// Characters of a secret that are shown afterwards. Eight of them are random: enough to tell keys apart, while 208 of the
/// 256 bits stay unknown.
const SHOWN: usize = API_KEY.len() + 8;

/// SHA-256 of a secret.
#[derive(Clone, Copy)]
pub(crate) struct SecretHash([u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl SecretHash {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `stored` is this hash, in constant time.
    pub(crate) fn matches(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

/// A new API key or token of a directory.
#[derive(Debug)]
pub(crate) struct NewSecret {
    /// To be shown once.
    pub(crate) secret: SecretString,
    /// To be shown always.
    pub(crate) prefix: String,
    pub(crate) hash: SecretHash,
}

impl NewSecret {
    pub(crate) fn api_key() -> Self {
        Self::generate(API_KEY)
    }

    pub(crate) fn directory_token() -> Self {
        Self::generate(DIRECTORY_TOKEN)
    }

    fn generate(kind: &str) -> Self {
        let random = BASE64_URL_SAFE_NO_PAD.encode(random_bytes().as_slice());
        let secret = Zeroizing::new(format!("{kind}{random}"));
        Self {
            prefix: secret.chars().take(SHOWN).collect(),
            hash: SecretHash::of(&secret),
            secret: SecretString::from(secret.as_str()),
        }
    }
}

/// Whether the text could be one of our API keys: others are not worth a look into the database.
pub(crate) fn is_api_key(text: &str) -> bool {
    is_secret(text, API_KEY)
}

/// Whether the text could be a token of a directory.
pub(crate) fn is_directory_token(text: &str) -> bool {
    is_secret(text, DIRECTORY_TOKEN)
}

fn is_secret(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|random| {
        random.len() == 43
            && random
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// 256 bits of the operating system's randomness.
pub(crate) fn random_bytes() -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    OsRng
        .try_fill_bytes(bytes.as_mut_slice())
        .expect("the operating system always has random bytes once it has started");
    bytes
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_new_key_has_its_shape_shows_little_and_matches_its_hash_only() {
        let key = NewSecret::api_key();
        let secret = key.secret.expose_secret();
        assert!(is_api_key(secret), "{secret}");
        assert!(secret.starts_with(&key.prefix));
        assert_eq!(key.prefix.len(), 12);
        assert!(SecretHash::of(secret).matches(key.hash.as_bytes()));
        assert!(!SecretHash::of(&key.prefix).matches(key.hash.as_bytes()));
        assert!(!key.hash.matches(&[]));
        let shown = format!("{key:?}");
        assert!(!shown.contains(secret));
        assert!(shown.contains("SecretHash(…)"), "{shown}");
    }

    #[test]
    fn a_token_of_a_directory_is_no_api_key() {
        let token = NewSecret::directory_token();
        let secret = token.secret.expose_secret();
        assert!(
            is_directory_token(secret) && !is_api_key(secret),
            "{secret}"
        );
        let key = NewSecret::api_key();
        assert!(!is_directory_token(key.secret.expose_secret()));
    }

    #[test]
    fn other_texts_are_no_api_keys() {
        let random = "a".repeat(43);
        for text in [
            "",
            "sbk_",
            &random,
            &format!("sbr_{random}"),
            &format!("sbk_{random}a"),
            "sbk_é",
        ] {
            assert!(!is_api_key(text), "{text}");
        }
    }
}
