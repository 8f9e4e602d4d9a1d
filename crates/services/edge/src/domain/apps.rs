//! The Meta apps we accept webhooks of.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use whatsapp::signature::{AppSecret, AppSecrets, SecretsError, SignatureError};

const LONGEST_NAME: usize = 64;

/// All apps, by the name in their callback address. One Meta app has one secret for all numbers it serves, and a body
/// can't be trusted to say which app it is of: so the address does.
#[derive(Debug)]
pub(crate) struct Apps(HashMap<Arc<str>, Arc<App>>);

/// One Meta app.
#[derive(Debug)]
pub(crate) struct App {
    name: Arc<str>,
    secrets: AppSecrets,
    verify_token: SecretString,
}

/// Why there can't be such an app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppInvalid {
    #[error(
        "an app's name must be 1 to {LONGEST_NAME} lower-case letters, digits, dashes and underscores"
    )]
    Name,
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("the verify token is empty")]
    VerifyToken,
}

impl FromIterator<App> for Apps {
    fn from_iter<I: IntoIterator<Item = App>>(apps: I) -> Self {
        let named = |app: App| (Arc::clone(&app.name), Arc::new(app));
        Self(apps.into_iter().map(named).collect())
    }
}

impl Apps {
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<App>> {
        self.0.get(name)
    }
}

impl App {
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn new(
        name: &str,
        secrets: Vec<AppSecret>,
        verify_token: SecretString,
    ) -> Result<Self, Vec<AppInvalid>> {
        let mut problems = Vec::new();
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) {
            problems.push(AppInvalid::Name);
        }
        let secrets = AppSecrets::new(secrets);
        if let Err(error) = &secrets {
            problems.push(error.clone().into());
        }
        if verify_token.expose_secret().trim().is_empty() {
            problems.push(AppInvalid::VerifyToken);
        }
        match secrets {
            Ok(secrets) if problems.is_empty() => Ok(Self {
                name: name.into(),
                secrets,
                verify_token,
            }),
            _ => Err(problems),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether Meta signed this body. `signature` is the header's value.
    pub(crate) fn verify(
        &self,
        signature: &[u8],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        self.secrets.verify(Some(signature), body, now)
    }

    /// Whether this is the verify token. Compared as hashes, so that not even its length shows in the time it takes.
    pub(crate) fn knows_token(&self, given: &str) -> bool {
        let own = Sha256::digest(self.verify_token.expose_secret());
        let given = Sha256::digest(given);
        bool::from(own.as_slice().ct_eq(given.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str, secrets: &[&str], verify_token: &str) -> Result<App, Vec<AppInvalid>> {
        let secret = |value: &&str| AppSecret::new(SecretString::from(*value));
        App::new(
            name,
            secrets.iter().map(secret).collect(),
            SecretString::from(verify_token),
        )
    }

    #[test]
    fn an_app_without_a_usable_secret_is_refused() {
        use AppInvalid::{Name, Secrets, VerifyToken};
        let problems = |name, secrets, token| app(name, secrets, token).expect_err("refused");
        assert_eq!(problems("a", &[], "t"), [Secrets(SecretsError::None)]);
        assert_eq!(
            problems("a", &["s", ""], "t"),
            [Secrets(SecretsError::Empty)]
        );
        assert_eq!(
            problems("a", &["1", "2", "3", "4"], "t"),
            [Secrets(SecretsError::TooMany)]
        );
        assert_eq!(problems("a/b", &["s"], " "), [Name, VerifyToken]);
        assert!(app("shop-1_x", &["s", "old"], "t").is_ok());
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let apps = Apps::from_iter(app("a", &["s"], "token"));
        let app = apps.find("a").expect("configured");
        assert!(app.knows_token("token"));
        for other in ["", "toke", "token ", "Token", "tokentoken"] {
            assert!(!app.knows_token(other), "{other}");
        }
        assert!(apps.find("A").is_none());
    }
}
