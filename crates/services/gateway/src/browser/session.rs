//! What the session cookie holds, and the token made from it.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ids::SessionId;
use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The form of the cookie; another one is another number.
const FORM: &str = "1";
/// Names what the MAC is for.
const CONTEXT: &[u8] = b"switchboard.csrf-token/1";
/// The refresh token's limit in the API.
const LONGEST_REFRESH_TOKEN: usize = 256;

/// A login as a browser keeps it.
#[derive(Clone)]
pub(crate) struct Session {
    id: SessionId,
    /// Made with the login; proves that a CSRF token was made for it.
    secret: Zeroizing<[u8; 32]>,
    refresh_token: SecretString,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.id)
    }
}

impl Session {
    /// A login that was just made. Whatever the browser had before is not used for it.
    pub(crate) fn begin(id: SessionId, refresh_token: SecretString) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        OsRng
            .try_fill_bytes(secret.as_mut_slice())
            .expect("the operating system has randomness");
        Self {
            id,
            secret,
            refresh_token,
        }
    }

    /// The same login with the refresh token that follows.
    pub(crate) fn renewed(&self, refresh_token: SecretString) -> Self {
        Self {
            refresh_token,
            ..self.clone()
        }
    }

    /// Reads the cookie.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (form, secret, id) = (parts.next()?, parts.next()?, parts.next()?);
        let refresh_token = parts.next()?;
        let plain = refresh_token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let fits = (1..=LONGEST_REFRESH_TOKEN).contains(&refresh_token.len());
        if form != FORM || parts.next().is_some() || !plain || !fits {
            return None;
        }
        let secret = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?);
        Some(Self {
            id: id.parse().ok()?,
            secret: Zeroizing::new(secret.as_slice().try_into().ok()?),
            refresh_token: refresh_token.into(),
        })
    }

    /// What the cookie says.
    pub(crate) fn text(&self) -> SecretString {
        let secret = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(self.secret.as_slice()));
        let (id, refresh_token) = (self.id, self.refresh_token.expose_secret());
        format!("{FORM}.{}.{id}.{refresh_token}", secret.as_str()).into()
    }

    pub(crate) const fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) const fn refresh_token(&self) -> &SecretString {
        &self.refresh_token
    }

    /// What a page repeats in `X-CSRF-Token`.
    pub(crate) fn csrf_token(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.mac().finalize().into_bytes())
    }

    /// Whether a page got the token from this login. In constant time.
    pub(crate) fn accepts(&self, csrf_token: &str) -> bool {
        BASE64_URL_SAFE_NO_PAD
            .decode(csrf_token)
            .is_ok_and(|tag| self.mac().verify_slice(&tag).is_ok())
    }

    fn mac(&self) -> Hmac<Sha256> {
        let mut mac =
            Hmac::new_from_slice(self.secret.as_slice()).expect("HMAC takes keys of any length");
        mac.update(CONTEXT);
        mac.update(self.id.as_uuid().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::begin(SessionId::generate(), "sbr_abc-DEF_1".into())
    }

    #[test]
    fn a_session_survives_its_cookie() {
        let session = session();
        let text = session.text();
        let read = Session::parse(text.expose_secret()).expect("a session");
        assert_eq!(read.id(), session.id());
        assert_eq!(read.refresh_token().expose_secret(), "sbr_abc-DEF_1");
        assert!(read.accepts(&session.csrf_token()));
        assert!(!format!("{read:?}").contains("sbr_"));
    }

    #[test]
    fn the_csrf_token_belongs_to_one_login_and_outlives_a_renewal() {
        let (one, other) = (session(), session());
        assert!(!one.accepts(&other.csrf_token()));
        assert!(!one.accepts(""));
        assert_eq!(
            one.renewed("sbr_next".into()).csrf_token(),
            one.csrf_token()
        );
        let same_id = Session::begin(one.id(), "sbr_x".into());
        assert!(
            !same_id.accepts(&one.csrf_token()),
            "a new login, a new token"
        );
    }

    #[test]
    fn nonsense_is_no_session() {
        let good = session().text().expose_secret().to_owned();
        let changed = [
            String::new(),
            good.replacen("1.", "2.", 1),
            format!("{good}.x"),
            format!("{good}%0d%0a"),
            format!("{good}; x"),
            good.replace("sbr_abc-DEF_1", ""),
            good.replace("sbr_abc-DEF_1", &"a".repeat(257)),
            good.replacen("se", "xx", 1),
        ];
        for text in changed {
            assert!(Session::parse(&text).is_none(), "{text}");
        }
    }
}
