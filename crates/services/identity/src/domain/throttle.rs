//! How fast somebody may guess.
//!
//! An attempt counts as a failure before it is checked and is taken back when it was none, so attempts made at once
//! can't slip past a limit together.

use chrono::{DateTime, TimeDelta, Utc};

/// Longer waits protect no better and annoy more (NIST SP 800-63B, 5.2.2, has a limit and growing delays).
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// The brake of one kind of guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Failures until the first wait.
    free: u32,
    /// The first wait; each further failure doubles it, up to an hour.
    first_wait: TimeDelta,
    /// One failure is forgotten each time that this has passed without another.
    fades: TimeDelta,
}

/// Passwords of an account, and of a device of it that is known.
pub(crate) const ACCOUNT: Rule = Rule::new(10, TimeDelta::seconds(30), TimeDelta::hours(2));
/// Codes of an authenticator app: one of 3 in a million is right.
pub(crate) const CODES: Rule = Rule::new(5, TimeDelta::minutes(10), TimeDelta::hours(2));
/// Whatever comes from one address; an office of people may be behind it.
pub(crate) const ADDRESS: Rule = Rule::new(50, TimeDelta::seconds(30), TimeDelta::minutes(1));
/// Whatever comes from the network around it.
pub(crate) const NETWORK: Rule = Rule::new(500, TimeDelta::seconds(30), TimeDelta::seconds(10));
/// Logins that are begun at a provider, from one address. None is a guess, but each is stored for an hour: a company
/// that begins to work is far below, a flood is not.
pub(crate) const BEGUN: Rule = Rule::new(300, TimeDelta::seconds(30), TimeDelta::seconds(1));
/// The same from the network around it.
pub(crate) const BEGUN_AROUND: Rule =
    Rule::new(5_000, TimeDelta::seconds(30), TimeDelta::seconds(1));
/// Mails that anybody can have sent to an address.
pub(crate) const LETTERS: Rule = Rule::new(5, TimeDelta::minutes(10), TimeDelta::minutes(30));

/// Counters that have not moved for this long are forgotten whatever their rule.
pub(crate) const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(2);

/// What is known of one thing that is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) failures: u32,
    pub(crate) failed_at: DateTime<Utc>,
    pub(crate) blocked_until: Option<DateTime<Utc>>,
}

impl Rule {
    const fn new(free: u32, first_wait: TimeDelta, fades: TimeDelta) -> Self {
        Self {
            free,
            first_wait,
            fades,
        }
    }

    /// The counter after one more attempt.
    ///
    /// # Errors
    /// How long to wait before the next one.
    pub(crate) fn attempt(
        self,
        counter: Counter,
        now: DateTime<Utc>,
    ) -> Result<Counter, TimeDelta> {
        if let Some(until) = counter.blocked_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        let failures = self
            .remembered(counter, now)
            .saturating_add(1)
            .min(self.most());
        Ok(Counter {
            failures,
            failed_at: now,
            blocked_until: self.wait(failures).map(|wait| now + wait),
        })
    }

    /// The counter without one attempt that was no failure.
    pub(crate) fn take_back(self, counter: Counter) -> Counter {
        let failures = counter.failures.saturating_sub(1);
        Counter {
            failures,
            blocked_until: counter.blocked_until.filter(|_| failures >= self.free),
            ..counter
        }
    }

    /// Failures that have not faded.
    fn remembered(self, counter: Counter, now: DateTime<Utc>) -> u32 {
        let passed = (now - counter.failed_at).num_seconds().max(0);
        let faded = passed / self.fades.num_seconds().max(1);
        counter
            .failures
            .saturating_sub(u32::try_from(faded).unwrap_or(u32::MAX))
    }

    /// What so many failures cost.
    fn wait(self, failures: u32) -> Option<TimeDelta> {
        let doublings = failures.checked_sub(self.free)?;
        let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0);
        let wait = factor.and_then(|factor| self.first_wait.checked_mul(factor));
        Some(wait.map_or(LONGEST, |wait| wait.min(LONGEST)))
    }

    /// More failures than this cost no more, so counting them would only delay the fading.
    const fn most(self) -> u32 {
        self.free + 7
    }
}

#[cfg(test)]
mod tests;
