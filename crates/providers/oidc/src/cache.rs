//! What is known of one connection's provider.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use crate::{
    Lifetimes,
    discovery::{Faults, Published, SetupFault},
    keys::KeySet,
};

/// What a provider published, and when.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) published: Arc<Published>,
    fetched_at: DateTime<Utc>,
    /// Grows with each fetch.
    version: u64,
}

/// One connection's place in the cache. Its lock is held while something is fetched, which has a
/// deadline: logins that come meanwhile share the answer.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    failed: Option<(DateTime<Utc>, Faults)>,
    asked_for_keys_at: Option<DateTime<Utc>>,
}

impl Slot {
    /// Puts in what was just fetched.
    pub(crate) async fn learn(&self, published: Published, now: DateTime<Utc>) -> Known {
        self.0.lock().await.learn(published, now)
    }

    /// What is known, fetched if there is need. `agrees` says whether what is known fits the
    /// settings.
    pub(crate) async fn known(
        &self,
        lifetimes: &Lifetimes,
        now: DateTime<Utc>,
        agrees: impl Fn(&Known) -> bool,
        fetch: impl Future<Output = Result<Published, Faults>> + Send,
    ) -> Result<Known, Faults> {
        let mut state = self.0.lock().await;
        let usable = state.known.clone().filter(agrees);
        if let Some(known) = &usable
            && now - known.fetched_at < lifetimes.fresh
        {
            return Ok(known.clone());
        }
        let last_resort = usable.filter(|known| now - known.fetched_at < lifetimes.stale);
        // Only a provider that is away is spared; changed settings are tried at once.
        let recently = state
            .failed
            .clone()
            .filter(|(at, faults)| faults.is_passing() && now - *at < lifetimes.retry);
        let faults = match recently {
            Some((_, faults)) => faults,
            None => match fetch.await {
                Ok(published) => return Ok(state.learn(published, now)),
                Err(faults) => {
                    state.failed = Some((now, faults.clone()));
                    faults
                }
            },
        };
        match last_resort {
            Some(known) if faults.is_passing() => {
                tracing::warn!("an identity provider is away; what is known of it is still used");
                Ok(known)
            }
            _ => Err(faults),
        }
    }

    /// The keys, if others are known or can be had than those of `than`.
    pub(crate) async fn newer_keys(
        &self,
        than: &Known,
        lifetimes: &Lifetimes,
        now: DateTime<Utc>,
        fetch: impl Future<Output = Result<KeySet, SetupFault>> + Send,
    ) -> Option<KeySet> {
        let mut state = self.0.lock().await;
        // Other settings meanwhile: this login is of the past.
        let known = state
            .known
            .clone()
            .filter(|known| known.published.document == than.published.document)?;
        if known.version > than.version {
            return Some(known.published.keys.clone());
        }
        let recently = state.asked_for_keys_at;
        if recently.is_some_and(|at| now - at < lifetimes.unknown_key) {
            return None;
        }
        state.asked_for_keys_at = Some(now);
        match fetch.await {
            Ok(keys) => {
                let document = known.published.document.clone();
                let published = Published {
                    document,
                    keys: keys.clone(),
                };
                // The document is as old as before: unknown keys must not keep it alive for ever.
                state.learn(published, known.fetched_at);
                Some(keys)
            }
            Err(fault) => {
                tracing::warn!(%fault, "an identity provider's keys could not be fetched again");
                None
            }
        }
    }
}

impl State {
    fn learn(&mut self, published: Published, fetched_at: DateTime<Utc>) -> Known {
        let version = self.known.as_ref().map_or(0, |known| known.version) + 1;
        let known = Known {
            published: Arc::new(published),
            fetched_at,
            version,
        };
        self.failed = None;
        self.known = Some(known.clone());
        known
    }
}
