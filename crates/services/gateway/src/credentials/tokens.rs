//! Access tokens, verified here. That a signature was good is remembered by the verifier.

use std::sync::Arc;

use auth::{Error, Verified, Verifier};

use super::{Caller, Refused};

/// Verifies tokens. Clones share what the verifier remembers.
#[derive(Debug, Clone)]
pub(crate) struct Tokens(Verifier);

impl Tokens {
    pub(crate) const fn new(verifier: Verifier) -> Self {
        Self(verifier)
    }

    /// The caller that the token names.
    pub(crate) async fn check(&self, token: &str) -> Result<Arc<Caller>, Refused> {
        let verified = self.0.verify(token).await.map_err(refused)?;
        let expires_at = verified.expires_at;
        Caller::new(token, expires_at, Some(verified))
            .map(Arc::new)
            .ok_or(Refused::Invalid)
    }

    /// Whether a verified token is still good.
    pub(super) async fn recheck(&self, verified: &Verified) -> Result<(), Refused> {
        self.0.recheck(verified).await.map_err(refused)
    }
}

fn refused(error: Error) -> Refused {
    match error {
        Error::Expired => Refused::Expired,
        Error::Revoked => Refused::Revoked,
        Error::KeysUnavailable(source) => Refused::KeysUnavailable(source),
        // Which check failed is of use to a forger only.
        _ => Refused::Invalid,
    }
}
