//! How fast a number may send: its own throughput and the rate per recipient, both in the memory of
//! the lane's owner. No other process sends for the number, so nothing needs to be shared.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Meta: one message per 6 seconds to the same user …
const PAIR_INTERVAL: TimeDelta = TimeDelta::seconds(6);
/// … with a burst of 45 borrowed from later.
const PAIR_BURST: u32 = 45;
/// Part of the allowed rate we use: WhatsApp counts in its own seconds, and inbound messages count too.
const USED: f64 = 0.97;
/// Part of a second's worth that may go out at once.
const BURST: f64 = 0.05;
/// Part of a second's worth that a waiting lane waits for: a fast number is not woken for each message.
const WORTHWHILE: f64 = 0.02;
/// After WhatsApp said "too fast" the rate is halved; this part of the full rate comes back per second.
const RECOVERY_PER_SECOND: f64 = 0.02;

/// Pacing of one number.
#[derive(Debug)]
pub(crate) struct Pace {
    full: f64,
    rate: f64,
    tokens: f64,
    at: DateTime<Utc>,
    pairs: HashMap<String, DateTime<Utc>>,
}

impl Pace {
    /// For a number that may send `per_second` messages.
    pub(crate) fn new(per_second: i32, now: DateTime<Utc>) -> Self {
        let full = f64::from(per_second.max(1)) * USED;
        Self {
            full,
            rate: full,
            tokens: burst(full),
            at: now,
            pairs: HashMap::new(),
        }
    }

    /// WhatsApp changed the number's throughput.
    pub(crate) fn set_throughput(&mut self, per_second: i32) {
        let full = f64::from(per_second.max(1)) * USED;
        if (full - self.full).abs() > f64::EPSILON {
            self.rate = (self.rate / self.full) * full;
            self.full = full;
        }
    }

    /// How many may go out now.
    pub(crate) fn available(&mut self, now: DateTime<Utc>) -> u32 {
        self.refill(now);
        // Never negative, and a second's worth fits by far.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 <= tokens < 2^32"
        )]
        let whole = self.tokens.max(0.0).floor() as u32;
        whole
    }

    /// Uses up what was claimed.
    pub(crate) fn take(&mut self, count: usize) {
        self.tokens -= f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Calls that may be under way at once: half a second's worth, so that a slow WhatsApp does not
    /// pile up calls whose outcome would become unknown together.
    pub(crate) fn most_in_flight(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive rate, bounded below"
        )]
        let half = (self.full / 2.0) as u32;
        half.clamp(16, 512)
    }

    /// When so many may go out that it is worth to claim them; for slow numbers that is one.
    pub(crate) fn next_at(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.refill(now);
        let wanted = (self.rate * WORTHWHILE).max(1.0);
        let missing = (wanted - self.tokens).max(0.0) / self.rate;
        now + seconds(missing)
    }

    /// WhatsApp said that the number is too fast.
    pub(crate) fn slow_down(&mut self) {
        self.rate = (self.rate / 2.0).max(1.0_f64.min(self.full));
        self.tokens = self.tokens.min(0.0);
    }

    /// Takes one of the recipient's turns, or says when there will be one.
    pub(crate) fn take_turn(
        &mut self,
        recipient: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DateTime<Utc>> {
        // The time at which the burst is whole again stands for all its turns.
        let whole_at = self.pairs.get(recipient).copied().unwrap_or(now).max(now);
        let borrowed = whole_at + PAIR_INTERVAL - now;
        let limit = PAIR_INTERVAL * i32::try_from(PAIR_BURST).unwrap_or(i32::MAX);
        if borrowed > limit {
            return Err(now + (borrowed - limit));
        }
        self.pairs
            .insert(recipient.to_owned(), whole_at + PAIR_INTERVAL);
        Ok(())
    }

    /// Forgets recipients whose burst is whole.
    pub(crate) fn forget_idle(&mut self, now: DateTime<Utc>) {
        self.pairs.retain(|_, whole_at| *whole_at > now);
    }

    fn refill(&mut self, now: DateTime<Utc>) {
        let passed = (now - self.at).as_seconds_f64().max(0.0);
        self.at = self.at.max(now);
        self.rate = (self.rate + self.full * RECOVERY_PER_SECOND * passed).min(self.full);
        self.tokens = (self.tokens + self.rate * passed).min(burst(self.rate));
    }
}

fn burst(rate: f64) -> f64 {
    (rate * BURST).max(1.0)
}

fn seconds(seconds: f64) -> TimeDelta {
    // Rates are at least one per second, so this is at most a few seconds.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a few seconds in microseconds fit by far"
    )]
    let microseconds = (seconds * 1_000_000.0).ceil() as i64;
    TimeDelta::microseconds(microseconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).expect("a valid time")
    }

    #[test]
    fn a_recipient_gets_a_burst_of_45_and_then_one_in_six_seconds() {
        let mut pace = Pace::new(1_000, noon());
        for _ in 0..45 {
            assert_eq!(pace.take_turn("491", noon()), Ok(()));
        }
        assert_eq!(pace.take_turn("491", noon()), Err(noon() + PAIR_INTERVAL));
        assert_eq!(pace.take_turn("492", noon()), Ok(()));
        assert_eq!(pace.take_turn("491", noon() + PAIR_INTERVAL), Ok(()));
        assert!(pace.take_turn("491", noon() + PAIR_INTERVAL).is_err());
    }

    #[test]
    fn recipients_who_rest_are_forgotten() {
        let mut pace = Pace::new(80, noon());
        assert_eq!(pace.take_turn("491", noon()), Ok(()));
        pace.forget_idle(noon() + TimeDelta::seconds(7));
        assert!(pace.pairs.is_empty());
    }

    #[test]
    fn a_number_that_was_too_fast_slows_down_and_recovers() {
        let mut pace = Pace::new(80, noon());
        pace.slow_down();
        let in_a_second = noon() + TimeDelta::seconds(1);
        assert!(pace.available(in_a_second) <= 40);
        let later = noon() + TimeDelta::seconds(60);
        pace.available(later);
        assert!((pace.rate - pace.full).abs() < 0.001);
    }

    #[test]
    fn a_fast_number_waits_for_several_turns_and_a_slow_one_for_one() {
        for (per_second, turns) in [(1_000, 19), (20, 1)] {
            let mut pace = Pace::new(per_second, noon());
            let burst = pace.available(noon());
            pace.take(usize::try_from(burst).expect("small"));
            let next = pace.next_at(noon());
            assert!(next > noon());
            assert_eq!(pace.available(next), turns, "of {per_second}");
        }
    }

    proptest! {
        #[test]
        fn no_second_sees_more_than_the_number_may_send(
            per_second in 1_i32..1_000,
            steps in proptest::collection::vec(1_i64..400, 1..60),
        ) {
            let mut pace = Pace::new(per_second, noon());
            let (mut now, mut sent) = (noon(), Vec::new());
            for step in steps {
                now += TimeDelta::milliseconds(step);
                let count = pace.available(now);
                pace.take(usize::try_from(count).expect("small"));
                sent.push((now, count));
                let window: u32 = sent
                    .iter()
                    .filter(|(at, _)| *at > now - TimeDelta::seconds(1))
                    .map(|(_, count)| count)
                    .sum();
                let allowed = (f64::from(per_second) * (USED + BURST)).ceil() + 1.0;
                prop_assert!(f64::from(window) <= allowed, "{window} of {per_second}");
            }
        }
    }
}
