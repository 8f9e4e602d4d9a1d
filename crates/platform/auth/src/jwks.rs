//! The public keys of identity, kept in memory.

use std::{collections::HashMap, error::Error as StdError, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use clock::Clock;
use proto::identity::v1::Jwk;

use crate::{
    Error,
    jwt::{VerifyingKey, verifying_key},
    refreshed::{Fetched, Refreshed, Terms, Unanswered},
};

/// An unknown key id makes us ask at most once a minute, so that forged tokens can't make us a flood. The deadline is
/// below the second that a readiness probe has, so that the probe learns what went wrong.
const TERMS: Terms = Terms {
    what: "keys that verify tokens",
    deadline: Duration::from_millis(800),
    pause: Duration::from_secs(2),
    calm: Duration::from_mins(1),
};
/// Known keys are looked up again after this, so that a withdrawn key stops working.
const STALE_AFTER: Duration = Duration::from_mins(5);
/// Identity has two or three keys. A list like this is not its own.
const MAX_KEYS: usize = 100;

/// Where the keys come from: identity over gRPC, or its own table inside identity.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// All keys that verify tokens now.
    ///
    /// # Errors
    /// When they can't be had.
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError>;
}

/// Why the keys can't be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeySourceError {
    /// The question failed.
    #[error("ask identity for its public keys")]
    Fetch(#[source] Arc<dyn StdError + Send + Sync>),
    /// No answer in time.
    #[error("identity did not answer in time")]
    Timeout,
    /// More keys than identity can have.
    #[error("{0} keys are more than identity can have")]
    TooMany(usize),
    /// Not a single Ed25519 key.
    #[error("no usable key in the answer")]
    Empty,
}

impl From<Unanswered> for KeySourceError {
    fn from(_: Unanswered) -> Self {
        Self::Timeout
    }
}

type Keys = HashMap<String, Arc<VerifyingKey>>;

/// Public keys by their id. Cheap to clone; clones share the keys.
#[derive(Clone)]
pub struct Jwks(Arc<Shared>);

struct Shared {
    source: Arc<dyn KeySource>,
    keys: Refreshed<Keys, KeySourceError>,
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").finish_non_exhaustive()
    }
}

impl Jwks {
    /// Nothing is fetched until the first token asks.
    pub fn new(source: Arc<dyn KeySource>, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            source,
            keys: Refreshed::new(TERMS, clock),
        }))
    }

    /// Fetches the keys unless they are known: the readiness probe of a service that must verify tokens.
    ///
    /// # Errors
    /// When there are none and identity can't be asked.
    pub async fn warm(&self) -> Result<(), KeySourceError> {
        self.0.keys.current(self.fetch()).await.map(drop)
    }

    /// The key with this id.
    pub(crate) async fn get(&self, kid: &str) -> Result<Arc<VerifyingKey>, Error> {
        let known = self.0.keys.current(self.fetch()).await;
        let known = known.map_err(Error::KeysUnavailable)?;
        if let Some(key) = known.get(kid) {
            return Ok(Arc::clone(key));
        }
        // Perhaps a key that is newer than our list.
        let newer = self.0.keys.newer(self.fetch()).await;
        let newer = newer.map_err(Error::KeysUnavailable)?;
        newer
            .get(kid)
            .cloned()
            .ok_or(Error::Invalid("signed by an unknown key"))
    }

    async fn fetch(&self) -> Result<Fetched<Keys>, KeySourceError> {
        let jwks = self.0.source.fetch().await?;
        Ok(Fetched {
            value: usable(&jwks)?,
            renew_after: STALE_AFTER,
            ends_after: None,
        })
    }
}

fn usable(jwks: &[Jwk]) -> Result<Keys, KeySourceError> {
    if jwks.len() > MAX_KEYS {
        return Err(KeySourceError::TooMany(jwks.len()));
    }
    let keys: Keys = jwks
        .iter()
        .filter_map(|jwk| Some((jwk.kid.clone(), Arc::new(verifying_key(jwk)?))))
        .collect();
    if keys.is_empty() {
        return Err(KeySourceError::Empty);
    }
    Ok(keys)
}
