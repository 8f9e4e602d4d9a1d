//! Refresh tokens that need not be stored.
//!
//! A token is the session it belongs to, a generation that grows with each use, and a MAC over both under a key that is
//! sealed in the database. So
//!
//! - a stolen copy of the database has no refresh token and no hash of one, and whoever has it can't make one without the
//!   vault that sealed the key;
//! - the successor of a token is the same whenever it is asked for, which is what a client with a lost answer needs;
//! - the tenant is proven before the first row is read.

use ids::{OrganizationId, SessionId};
use secrecy::SecretString;

use super::mac_key::{MacKey, Usage};

const REFRESH: Usage = Usage {
    prefix: "sbr_",
    context: b"switchboard.refresh-token/1",
};
/// Organization, session, generation.
const BODY: usize = 16 + 16 + 4;

/// Which use of which session a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) organization_id: OrganizationId,
    pub(crate) session_id: SessionId,
    /// 0 for the token of the login.
    pub(crate) generation: u32,
}

impl MacKey {
    /// The text a client keeps.
    pub(crate) fn sign(&self, token: &RefreshToken) -> SecretString {
        self.seal(REFRESH, &token.body())
    }

    /// The token in the text, if this key signed it.
    pub(crate) fn verify(&self, text: &str) -> Option<RefreshToken> {
        RefreshToken::from_body(&self.open(REFRESH, text)?)
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
        let key = MacKey::new(random_bytes());
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
        let text = MacKey::new(random_bytes()).sign(&token(0));
        assert_eq!(
            MacKey::new(random_bytes()).verify(text.expose_secret()),
            None
        );
    }

    #[test]
    fn a_changed_token_is_refused() {
        let key = MacKey::new(random_bytes());
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
            prop_assert_eq!(MacKey::new(random_bytes()).verify(&text), None);
        }
    }
}
