//! The public keys of identity, kept in memory.

use std::{collections::HashMap, error::Error as StdError, fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use clock::Clock;
use proto::identity::v1::Jwk;
use tokio::sync::Mutex;

use crate::{
    Error,
    jwt::{VerifyingKey, verifying_key},
};

/// An unknown key id makes us ask at most this often, so that forged tokens can't make us a flood.
const ASK_AGAIN: Duration = Duration::from_mins(1);
/// After a failed question.
const ASK_AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(2);
/// Known keys are looked up again after this, so that a withdrawn key stops working.
const STALE_AFTER: Duration = Duration::from_mins(5);
/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(2);
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
    /// No answer within two seconds.
    #[error("identity did not answer in time")]
    Timeout,
    /// More keys than identity can have.
    #[error("{0} keys are more than identity can have")]
    TooMany(usize),
    /// Not a single Ed25519 key.
    #[error("no usable key in the answer")]
    Empty,
}

/// Public keys by their id. Cheap to clone; clones share the keys.
#[derive(Clone)]
pub struct Jwks(Arc<Shared>);

struct Shared {
    source: Arc<dyn KeySource>,
    clock: Clock,
    keys: ArcSwap<Keys>,
    schedule: Mutex<Schedule>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, Arc<VerifyingKey>>,
    stale_at: Option<DateTime<Utc>>,
}

#[derive(Default)]
struct Schedule {
    ask_at: Option<DateTime<Utc>>,
    /// How the last question ended, if it failed.
    failure: Option<KeySourceError>,
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
            clock,
            keys: ArcSwap::default(),
            schedule: Mutex::default(),
        }))
    }

    /// Fetches the keys unless they are known: the readiness probe of a service that must verify tokens.
    ///
    /// # Errors
    /// When there are none and identity can't be asked.
    pub async fn warm(&self) -> Result<(), KeySourceError> {
        if self.0.keys.load().by_id.is_empty() {
            let mut schedule = self.0.schedule.lock().await;
            self.ask(&mut schedule).await;
            if let Some(failure) = &schedule.failure {
                return Err(failure.clone());
            }
        }
        Ok(())
    }

    /// The key with this id.
    pub(crate) async fn get(&self, kid: &str) -> Result<Arc<VerifyingKey>, Error> {
        let keys = self.0.keys.load_full();
        let found = keys.by_id.get(kid).cloned();
        if let Some(key) = found {
            if !keys.is_stale(self.0.clock.now()) {
                return Ok(key);
            }
            // Whoever comes while somebody else asks goes on with the key as it is.
            if let Ok(mut schedule) = self.0.schedule.try_lock() {
                self.ask(&mut schedule).await;
            } else {
                return Ok(key);
            }
        } else {
            let mut schedule = self.0.schedule.lock().await;
            self.ask(&mut schedule).await;
            if let (false, Some(failure)) = (self.knows(kid), &schedule.failure) {
                return Err(Error::KeysUnavailable(failure.clone()));
            }
        }
        self.0
            .keys
            .load()
            .by_id
            .get(kid)
            .cloned()
            .ok_or(Error::Invalid("signed by an unknown key"))
    }

    fn knows(&self, kid: &str) -> bool {
        self.0.keys.load().by_id.contains_key(kid)
    }

    /// Asks, unless that was done a moment ago. What is known is kept when the question fails.
    async fn ask(&self, schedule: &mut Schedule) {
        let now = self.0.clock.now();
        if schedule.ask_at.is_some_and(|ask_at| now < ask_at) {
            return;
        }
        let answer = tokio::time::timeout(DEADLINE, self.0.source.fetch())
            .await
            .unwrap_or(Err(KeySourceError::Timeout))
            .and_then(|jwks| usable(&jwks));
        match answer {
            Ok(by_id) => {
                self.0.keys.store(Arc::new(Keys {
                    by_id,
                    stale_at: Some(now + STALE_AFTER),
                }));
                schedule.ask_at = Some(now + ASK_AGAIN);
                schedule.failure = None;
            }
            Err(failure) => {
                tracing::warn!(
                    error.chain = errors::chain(&failure),
                    "the keys that verify tokens could not be fetched; known ones stay in use"
                );
                schedule.ask_at = Some(now + ASK_AGAIN_AFTER_FAILURE);
                schedule.failure = Some(failure);
            }
        }
    }
}

impl Keys {
    fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.stale_at.is_none_or(|stale_at| stale_at <= now)
    }
}

fn usable(jwks: &[Jwk]) -> Result<HashMap<String, Arc<VerifyingKey>>, KeySourceError> {
    if jwks.len() > MAX_KEYS {
        return Err(KeySourceError::TooMany(jwks.len()));
    }
    let keys: HashMap<_, _> = jwks
        .iter()
        .filter_map(|jwk| Some((jwk.kid.clone(), Arc::new(verifying_key(jwk)?))))
        .collect();
    if keys.is_empty() {
        return Err(KeySourceError::Empty);
    }
    Ok(keys)
}
