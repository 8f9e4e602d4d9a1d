//! A value that somebody else hands out for a while: fetched when it is first needed, fetched again when it gets old,
//! and kept in use as long as it is good when its source fails.
//!
//! However many callers need it, one of them asks. A question that failed is remembered, so that a source which is down
//! or hangs costs its callers one wait for each pause, not one wait each.

use std::{error::Error, fmt, future::Future, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};
use clock::Clock;
use tokio::sync::{Mutex, MutexGuard};

/// How a source is asked.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What is fetched, for the log: "service token".
    pub what: &'static str,
    /// Longest wait for an answer.
    pub deadline: Duration,
    /// Nobody asks again for this long after a failure.
    pub pause: Duration,
    /// Whoever misses something in the value asks again this long after a success at the earliest.
    pub calm: Duration,
}

/// An answer. Its life counts from before the question, so it is never thought to be longer than it is.
#[derive(Debug)]
pub struct Fetched<T> {
    /// The value.
    pub value: T,
    /// When to look for a newer one.
    pub renew_after: Duration,
    /// When it must not be used any more; `None` for a value that is better old than missing.
    pub ends_after: Option<Duration>,
}

/// The source did not answer before the deadline.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered;

/// A value with its schedule. Share it behind an [`Arc`].
pub struct Refreshed<T, E> {
    clock: Clock,
    terms: Terms,
    held: ArcSwapOption<Held<T>>,
    /// Locked while somebody asks.
    schedule: Mutex<Schedule<E>>,
}

struct Held<T> {
    value: Arc<T>,
    renew_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
}

struct Schedule<E> {
    ask_at: DateTime<Utc>,
    /// How the last question ended, if it failed.
    failure: Option<E>,
}

impl<T, E> fmt::Debug for Refreshed<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refreshed")
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

impl<T, E: Error + Clone + From<Unanswered> + 'static> Refreshed<T, E> {
    /// Nothing is fetched until somebody asks.
    pub fn new(terms: Terms, clock: Clock) -> Self {
        Self {
            terms,
            held: ArcSwapOption::empty(),
            schedule: Mutex::new(Schedule {
                ask_at: DateTime::<Utc>::MIN_UTC,
                failure: None,
            }),
            clock,
        }
    }

    /// The value. `fetch` is polled only if it is time to ask and nobody else does.
    ///
    /// # Errors
    /// There is no value that is still good, and the last question failed.
    pub async fn current(
        &self,
        fetch: impl Future<Output = Result<Fetched<T>, E>>,
    ) -> Result<Arc<T>, E> {
        let now = self.clock.now();
        let held = self.held.load_full();
        if let Some(held) = &held
            && now < held.renew_at
        {
            return Ok(Arc::clone(&held.value));
        }
        let mut schedule = match (self.schedule.try_lock(), held) {
            (Ok(schedule), _) => schedule,
            // Somebody else asks; what is in hand serves until then.
            (Err(_), Some(held)) if held.is_good(now) => return Ok(Arc::clone(&held.value)),
            (Err(_), _) => self.schedule.lock().await,
        };
        // Perhaps somebody else got it while we waited.
        let held = self.held.load_full();
        if held.is_none_or(|held| held.renew_at <= self.clock.now()) {
            self.ask(&mut schedule, fetch).await;
        }
        self.good().ok_or_else(|| failure(&schedule))
    }

    /// The value for somebody who misses something in the present one, so that a newer one is asked for.
    ///
    /// # Errors
    /// The last question failed: nobody knows whether there is what the caller misses.
    pub async fn newer(
        &self,
        fetch: impl Future<Output = Result<Fetched<T>, E>>,
    ) -> Result<Arc<T>, E> {
        let mut schedule = self.schedule.lock().await;
        self.ask(&mut schedule, fetch).await;
        match (&schedule.failure, self.good()) {
            (None, Some(value)) => Ok(value),
            _ => Err(failure(&schedule)),
        }
    }

    /// The value as it is, without asking.
    pub fn held(&self) -> Option<Arc<T>> {
        self.held.load_full().map(|held| Arc::clone(&held.value))
    }

    /// Lets go of the value: somebody whom it was shown to does not accept it.
    pub fn forget(&self) {
        self.held.store(None);
    }

    fn good(&self) -> Option<Arc<T>> {
        let held = self.held.load_full()?;
        held.is_good(self.clock.now())
            .then(|| Arc::clone(&held.value))
    }

    /// Asks, unless that was done a moment ago. What is in hand is kept when the question fails.
    async fn ask(
        &self,
        schedule: &mut MutexGuard<'_, Schedule<E>>,
        fetch: impl Future<Output = Result<Fetched<T>, E>>,
    ) {
        let asked_at = self.clock.now();
        if asked_at < schedule.ask_at {
            return;
        }
        // Written before the wait: a caller that gives up meanwhile leaves it to those behind, and they must not each
        // begin the same wait again.
        schedule.ask_at = asked_at + self.terms.deadline;
        schedule.failure = Some(Unanswered.into());
        let answer = tokio::time::timeout(self.terms.deadline, fetch)
            .await
            .unwrap_or_else(|_| Err(Unanswered.into()));
        match answer {
            Ok(fetched) => {
                self.held.store(Some(Arc::new(Held {
                    value: Arc::new(fetched.value),
                    renew_at: asked_at + fetched.renew_after,
                    ends_at: fetched.ends_after.map(|life| asked_at + life),
                })));
                schedule.ask_at = asked_at + self.terms.calm;
                schedule.failure = None;
            }
            Err(failure) => {
                tracing::warn!(
                    what = self.terms.what,
                    error.chain = errors::chain(&failure),
                    "could not be fetched; one in hand stays in use while it is good"
                );
                // The pause begins now, not before a wait that may have been as long.
                schedule.ask_at = self.clock.now() + self.terms.pause;
                schedule.failure = Some(failure);
            }
        }
    }
}

impl<T> Held<T> {
    fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_none_or(|ends_at| now < ends_at)
    }
}

fn failure<E: Clone + From<Unanswered>>(schedule: &Schedule<E>) -> E {
    schedule
        .failure
        .clone()
        .unwrap_or_else(|| Unanswered.into())
}

#[cfg(test)]
mod tests;
