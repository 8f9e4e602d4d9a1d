//! Token buckets on the sandbox clock.

use chrono::{DateTime, TimeDelta, Utc};

/// A bucket that fills evenly. Rate and size are passed at each use, because they can be changed
/// while it is in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    tokens: f64,
    filled_at: DateTime<Utc>,
}

impl Bucket {
    pub(super) fn full(size: u32, now: DateTime<Utc>) -> Self {
        Self {
            tokens: f64::from(size),
            filled_at: now,
        }
    }

    /// Takes one token if there is one. `every` is the time in which one token comes back.
    pub(super) fn try_take(&mut self, size: u32, every: TimeDelta, now: DateTime<Utc>) -> bool {
        self.fill(size, every, now);
        // Sums of fractions: a bucket refilled in a hundred steps must still yield its token.
        let enough = self.tokens >= 1.0 - 1e-9;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    /// Takes one token even if that leaves a debt: messages from customers can't be refused, but
    /// count towards the number's throughput (Meta: "in plus out").
    pub(super) fn take_owed(&mut self, size: u32, every: TimeDelta, now: DateTime<Utc>) {
        self.fill(size, every, now);
        self.tokens -= 1.0;
    }

    pub(super) fn is_full(&mut self, size: u32, every: TimeDelta, now: DateTime<Utc>) -> bool {
        self.fill(size, every, now);
        self.tokens >= f64::from(size)
    }

    fn fill(&mut self, size: u32, every: TimeDelta, now: DateTime<Utc>) {
        let elapsed = (now - self.filled_at).as_seconds_f64().max(0.0);
        let gained = elapsed / every.as_seconds_f64().max(f64::EPSILON);
        self.tokens = (self.tokens + gained).min(f64::from(size));
        self.filled_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + ms).expect("a valid time")
    }

    #[test]
    fn a_burst_is_borrowed_from_later() {
        let every = TimeDelta::seconds(6);
        let mut bucket = Bucket::full(45, at(0));
        assert!((0..45).all(|_| bucket.try_take(45, every, at(0))));
        assert!(!bucket.try_take(45, every, at(5_999)));
        assert!(bucket.try_take(45, every, at(6_000)));
        assert!(!bucket.try_take(45, every, at(6_000)));
    }

    #[test]
    fn a_clock_set_back_gives_nothing_away() {
        let every = TimeDelta::seconds(1);
        let mut bucket = Bucket::full(1, at(10_000));
        assert!(bucket.try_take(1, every, at(10_000)));
        assert!(!bucket.try_take(1, every, at(0)));
        assert!(bucket.try_take(1, every, at(1_000)));
    }

    #[test]
    fn inbound_traffic_uses_up_what_outbound_needs() {
        let every = TimeDelta::milliseconds(100);
        let mut bucket = Bucket::full(10, at(0));
        (0..12).for_each(|_| bucket.take_owed(10, every, at(0)));
        assert!(!bucket.try_take(10, every, at(200)));
        assert!(bucket.try_take(10, every, at(300)));
    }
}
