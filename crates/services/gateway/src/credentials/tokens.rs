//! Access tokens: verified here, once.

use std::sync::Arc;

use auth::{Error, LIFETIME, Verified, Verifier};
use moka::future::Cache;

use super::{Caller, Fingerprint, Refused, fingerprint};

/// Verifies tokens and remembers the ones that are good: checking a signature costs more than
/// everything else the gateway does for a request. Whether it was revoked is asked each time. Clones share what is
/// remembered.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    verifier: Verifier,
    verified: Cache<Fingerprint, Arc<Caller>>,
}

impl Tokens {
    pub(crate) fn new(verifier: Verifier, capacity: u64) -> Self {
        Self {
            verifier,
            verified: Cache::builder()
                .max_capacity(capacity)
                .time_to_live(LIFETIME)
                .build(),
        }
    }

    /// The caller that the token names.
    pub(crate) async fn check(&self, token: &str) -> Result<Arc<Caller>, Refused> {
        let name = fingerprint(token);
        if let Some(known) = self.verified.get(&name).await
            && let Some(verified) = &known.verified
        {
            self.verifier.recheck(verified).await.map_err(refused)?;
            return Ok(known);
        }
        let verified = self.verifier.verify(token).await.map_err(refused)?;
        let expires_at = verified.expires_at;
        let caller = Caller::new(token, expires_at, Some(verified)).ok_or(Refused::Invalid)?;
        let caller = Arc::new(caller);
        self.verified.insert(name, Arc::clone(&caller)).await;
        Ok(caller)
    }

    /// Whether a verified token is still good.
    pub(super) async fn recheck(&self, verified: &Verified) -> Result<(), Refused> {
        self.verifier.recheck(verified).await.map_err(refused)
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
