//! The one source of time. Operations take a [`Clock`] so that tests decide what time it is: a
//! 24-hour window closes and a lease expires without anybody sleeping.

mod jitter;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

pub use jitter::Jitter;

/// A wall clock in UTC. Cheap to clone; clones of a manual clock share their time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(watch::Receiver<DateTime<Utc>>),
}

/// Moves a manual [`Clock`]. Kept by the test; dropping it freezes the clock.
#[derive(Clone, Debug)]
pub struct Hand(Arc<Mutex<watch::Sender<DateTime<Utc>>>>);

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until its [`Hand`] moves it.
    pub fn manual(start: DateTime<Utc>) -> (Self, Hand) {
        let (sender, receiver) = watch::channel(start);
        (
            Self(Source::Manual(receiver)),
            Hand(Arc::new(Mutex::new(sender))),
        )
    }

    /// The current time, UTC.
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the machine's clock"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Manual(time) => *time.borrow(),
        }
    }

    /// Milliseconds since the Unix epoch, as uuid v7 wants them; 0 before 1970.
    pub fn unix_ms(&self) -> u64 {
        unix_ms(self.now())
    }

    /// Returns when the clock has reached `at`; at once if it already has.
    pub async fn sleep_until(&self, at: DateTime<Utc>) {
        match &self.0 {
            Source::System => {
                let left = (at - self.now()).to_std().unwrap_or(Duration::ZERO);
                tokio::time::sleep(left).await;
            }
            Source::Manual(time) => {
                let mut time = time.clone();
                // The hand is gone: the clock can never reach `at`, as for a machine that sleeps.
                if time.wait_for(|now| *now >= at).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Returns after `duration` on this clock.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(later(self.now(), duration)).await;
    }
}

/// Milliseconds since the Unix epoch, as uuid v7 wants them; 0 before 1970.
pub fn unix_ms(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp_millis()).unwrap_or(0)
}

/// `by` after `at`; the end of time if that is beyond it.
pub fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| at.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `by` before `at`; 1970 if that is beyond the beginning of time.
pub fn earlier(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| at.checked_sub_signed(by))
        .unwrap_or(DateTime::UNIX_EPOCH)
}

impl Hand {
    /// Moves the clock forward and wakes whoever waited for the time passed.
    pub fn advance(&self, by: Duration) {
        let delta = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send_modify(|now| *now += delta);
    }

    /// Sets the clock, backwards too: a machine's clock may be corrected.
    pub fn set(&self, to: DateTime<Utc>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send_modify(|now| *now = to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time")
    }

    #[test]
    fn times_beyond_all_bounds_stop_there() {
        let second = Duration::from_secs(1);
        assert_eq!(later(noon(), second), noon() + second);
        assert_eq!(later(noon(), Duration::MAX), DateTime::<Utc>::MAX_UTC);
        assert_eq!(earlier(noon(), second), noon() - second);
        assert_eq!(earlier(noon(), Duration::MAX), DateTime::UNIX_EPOCH);
        assert_eq!(unix_ms(noon()), 1_700_000_000_000);
        assert_eq!(unix_ms(DateTime::<Utc>::MIN_UTC), 0);
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_hand_passes_its_time() {
        let (clock, hand) = Clock::manual(noon());
        let sleeper = {
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_mins(1)).await }
        };
        tokio::pin!(sleeper);
        assert!(futures_are_pending(sleeper.as_mut()).await);
        hand.advance(Duration::from_secs(59));
        assert!(futures_are_pending(sleeper.as_mut()).await);
        hand.advance(Duration::from_secs(1));
        sleeper.await;
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(60));
    }

    async fn futures_are_pending(sleeper: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        tokio::select! {
            biased;
            () = sleeper => false,
            () = tokio::task::yield_now() => true,
        }
    }
}
