//! Refresh tokens that need not be stored.
//!
//! A token is the session it belongs to, a generation that grows with each use, and a MAC over both under a key that is
//! sealed in the database. So
//!
//! - a stolen copy of the database has no refresh token and no hash of one, and whoever has it can't make one without the
//!   vault that sealed the key;
//! - the successor of a token is the same whenever it is asked for, which is what a client with a lost answer needs;
//! - the tenant is proven before the first row is read.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ids::{OrganizationId, SessionId};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a sealed text is for. A text of one use is worth nothing in another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// What every such text begins with, so that people and secret scanners recognise one.
    pub(crate) prefix: &'static str,
    /// Names the construction: a MAC of another use of the key never fits. No context is the beginning of another.
    pub(crate) context: &'static [u8],
}

const REFRESH: Usage = Usage {
    prefix: "sbr_",
    context: b"switchboard.refresh-token/1",
};
/// Organization, session, generation.
const BODY: usize = 16 + 16 + 4;
const TAG: usize = 32;

/// Which use of which session a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) organization_id: OrganizationId,
    pub(crate) session_id: SessionId,
    /// 0 for the token of the login.
    pub(crate) generation: u32,
}

/// Signs refresh tokens.
#[derive(Clone)]
pub(crate) struct RefreshKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshKey(…)")
    }
}

impl RefreshKey {
    pub(crate) const fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// The text a client keeps.
    pub(crate) fn sign(&self, token: &RefreshToken) -> SecretString {
        self.seal(REFRESH, &token.body())
    }

    /// The token in the text, if this key signed it.
    pub(crate) fn verify(&self, text: &str) -> Option<RefreshToken> {
        RefreshToken::from_body(&self.open(REFRESH, text)?)
    }

    /// A text that only this key can make, for one use: `body` is readable, and can't be changed.
    pub(crate) fn seal(&self, usage: Usage, body: &[u8]) -> SecretString {
        let mut bytes = body.to_vec();
        let tag = self.mac(usage, body).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(&bytes));
        SecretString::from(format!("{}{}", usage.prefix, text.as_str()))
    }

    /// The body of a text that [`seal`](Self::seal) made for the same use.
    pub(crate) fn open(&self, usage: Usage, text: &str) -> Option<Vec<u8>> {
        let mut bytes = BASE64_URL_SAFE_NO_PAD
            .decode(text.strip_prefix(usage.prefix)?)
            .ok()?;
        let tag = bytes.split_off(bytes.len().checked_sub(TAG)?);
        self.mac(usage, &bytes).verify_slice(&tag).ok()?;
        Some(bytes)
    }

    /// A hash that can't be guessed at without the key.
    pub(crate) fn hash(&self, usage: Usage, body: &[u8]) -> [u8; TAG] {
        self.mac(usage, body).finalize().into_bytes().into()
    }

    fn mac(&self, usage: Usage, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::new_from_slice(self.0.as_slice()).expect("HMAC takes keys of any length");
        mac.update(usage.context);
        mac.update(body);
        mac
    }
}

impl RefreshToken {
    fn body(&self) -> [u8; BODY] {
        let mut body = [0; BODY];
        body[..16].copy_from_slice(self.organization_id.as_uuid().as_bytes());
        body[16..32].copy_from_slice(self.session_id.as_uuid().as_bytes());
        body[32..].copy_from_slice(&self.generation.to_be_bytes());
        body
    }

    fn from_body(body: &[u8]) -> Option<Self> {
        let uuid = |bytes: &[u8]| uuid::Uuid::from_slice(bytes).ok();
        Some(Self {
            organization_id: OrganizationId::from_uuid(uuid(body.get(..16)?)?),
            session_id: SessionId::from_uuid(uuid(body.get(16..32)?)?),
            generation: u32::from_be_bytes(body.get(32..)?.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::domain::secret::random_bytes;

    fn token(generation: u32) -> RefreshToken {
        RefreshToken {
            organization_id: OrganizationId::generate(),
            session_id: SessionId::generate(),
            generation,
        }
    }

    #[test]
    fn a_token_survives_its_text_and_is_the_same_each_time() {
        let key = RefreshKey::new(random_bytes());
        for generation in [0, 1, u32::MAX] {
            let token = token(generation);
            let text = key.sign(&token);
            assert_eq!(text.expose_secret(), key.sign(&token).expose_secret());
            assert_eq!(key.verify(text.expose_secret()), Some(token));
            assert!(
                text.expose_secret().len() <= 256,
                "the API takes no longer ones"
            );
        }
    }

    #[test]
    fn another_key_does_not_accept_it() {
        let text = RefreshKey::new(random_bytes()).sign(&token(0));
        assert_eq!(
            RefreshKey::new(random_bytes()).verify(text.expose_secret()),
            None
        );
    }

    #[test]
    fn a_changed_token_is_refused() {
        let key = RefreshKey::new(random_bytes());
        let text = key.sign(&token(7)).expose_secret().to_owned();
        for position in 0..text.len() {
            for letter in ["A", "B", "_"] {
                let mut changed = text.clone();
                changed.replace_range(position..=position, letter);
                assert_eq!(
                    key.verify(&changed).is_some(),
                    changed == text,
                    "{position}"
                );
            }
            assert_eq!(key.verify(&text[..position]), None);
        }
        assert_eq!(key.verify(&format!("{text}A")), None);
    }

    proptest! {
        #[test]
        fn no_text_is_a_token_and_none_panics(text in "(sbr_)?[A-Za-z0-9_=\\PC-]{0,120}") {
            prop_assert_eq!(RefreshKey::new(random_bytes()).verify(&text), None);
        }
    }
}
