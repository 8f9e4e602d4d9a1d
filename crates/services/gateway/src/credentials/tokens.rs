//! Access tokens: verified here, once.

use std::sync::Arc;

use auth::{Error, LIFETIME, Verifier};
use clock::Clock;
use moka::future::Cache;

use super::{Caller, Fingerprint, Refused, fingerprint};

/// Verifies tokens and remembers the ones that are good: checking a signature costs more than
/// everything else the gateway does for a request. A token stays known until it ends, as it does
/// in every service, also if its session or its signing key is revoked meanwhile.
#[derive(Debug)]
pub(crate) struct Tokens {
    verifier: Verifier,
    verified: Cache<Fingerprint, Arc<Caller>>,
    clock: Clock,
}

impl Tokens {
    pub(crate) fn new(verifier: Verifier, capacity: u64, clock: Clock) -> Self {
        Self {
            verifier,
            verified: Cache::builder()
                .max_capacity(capacity)
                .time_to_live(LIFETIME)
                .build(),
            clock,
        }
    }

    /// The caller that the token names.
    pub(super) async fn check(&self, token: &str) -> Result<Arc<Caller>, Refused> {
        let name = fingerprint(token);
        if let Some(known) = self.verified.get(&name).await
            && self.clock.now() < known.expires_at()
        {
            return Ok(known);
        }
        let verified = self.verifier.verify(token).await.map_err(refused)?;
        let caller = Caller::new(token, verified.expires_at).ok_or(Refused::Invalid)?;
        let caller = Arc::new(caller);
        self.verified.insert(name, Arc::clone(&caller)).await;
        Ok(caller)
    }
}

fn refused(error: Error) -> Refused {
    match error {
        Error::Expired => Refused::Expired,
        Error::KeysUnavailable(source) => Refused::KeysUnavailable(source),
        // Which check failed is of use to a forger only.
        _ => Refused::Invalid,
    }
}
