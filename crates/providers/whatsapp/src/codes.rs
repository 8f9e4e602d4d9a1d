//! What Meta's error codes mean for us. Decide on the code, not on the HTTP status: every rate limit
//! is a 400, and some permanent refusals are 500s.
//!
//! The same failure may come in the answer to a call, in a webhook, or in both.

mod table;

use std::time::Duration;

use self::table::TABLE;

/// Whether and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// At once; something else was just being changed.
    RetryNow,
    /// After a pause that grows.
    Backoff {
        /// The first pause.
        first: Duration,
    },
    /// Only this pair of numbers is too fast: after 4^n seconds (Meta: pair rate limit).
    PairBackoff,
    /// After a person or an event has changed something.
    Wait,
    /// Never: the same request will fail again.
    Never,
    /// The message may have been sent. Not to be repeated blindly.
    Unknown,
}

/// What a failure concerns, and so what else will fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// This message.
    Message,
    /// This recipient.
    Recipient,
    /// This template, for everybody.
    Template,
    /// The business number.
    Number,
    /// The WhatsApp business account.
    Waba,
    /// The access token and its permissions.
    Credential,
    /// The Meta app, and with it every tenant it serves.
    App,
}

/// What is known of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    first: i64,
    last: i64,
    /// Whether and when to try again.
    pub class: Class,
    /// What it concerns.
    pub scope: Scope,
    /// What it means and what to do, for the person in front of the inbox.
    pub hint: &'static str,
}

/// The longest pause of [`Class::delay`].
const MAX_DELAY: Duration = Duration::from_hours(1);

impl Class {
    /// The pause before try number `attempt` + 1, where `attempt` counts from 1; `None` if there
    /// must be none by itself. Add jitter.
    pub fn delay(self, attempt: u32) -> Option<Duration> {
        let doublings = attempt.saturating_sub(1).min(20);
        match self {
            Self::RetryNow => Some(Duration::ZERO),
            Self::Backoff { first } => Some(first.saturating_mul(1 << doublings).min(MAX_DELAY)),
            Self::PairBackoff => {
                let seconds = 4_u64.saturating_pow(attempt.min(20));
                Some(Duration::from_secs(seconds).min(MAX_DELAY))
            }
            Self::Wait | Self::Never | Self::Unknown => None,
        }
    }
}

/// What is known of a code, or `None` for one that is new.
pub fn find(code: i64) -> Option<&'static Entry> {
    // Single codes come before the ranges around them.
    TABLE
        .iter()
        .find(|entry| (entry.first..=entry.last).contains(&code))
}

/// The whole table, for documentation and for the sandbox: first code, last code, entry.
pub fn all() -> impl Iterator<Item = (i64, i64, &'static Entry)> {
    TABLE.iter().map(|entry| (entry.first, entry.last, entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_raised_before_processing_are_repeated_by_themselves() {
        for code in [4, 80_007, 130_429] {
            let class = find(code).expect("listed").class;
            assert!(matches!(class, Class::Backoff { .. }), "{code}");
        }
        assert_eq!(find(131_056).expect("listed").class, Class::PairBackoff);
        for code in [1, 2, 131_000, 131_016] {
            assert_eq!(find(code).expect("listed").class, Class::Unknown, "{code}");
        }
    }

    #[test]
    fn a_bad_credential_stops_more_than_one_message() {
        for code in [0, 190, 10, 200, 231, 299, 131_005] {
            let entry = find(code).expect("listed");
            assert_eq!(
                (entry.class, entry.scope),
                (Class::Wait, Scope::Credential),
                "{code}"
            );
        }
    }

    #[test]
    fn the_pair_pause_is_four_to_the_n() {
        let pause = |attempt| {
            Class::PairBackoff
                .delay(attempt)
                .map(|pause| pause.as_secs())
        };
        assert_eq!([1, 2, 3].map(pause), [Some(4), Some(16), Some(64)]);
        assert_eq!(pause(99), Some(3600));
        assert_eq!(Class::Never.delay(1), None);
        let first = Duration::from_secs(10);
        assert_eq!(
            Class::Backoff { first }.delay(3),
            Some(Duration::from_secs(40))
        );
    }

    #[test]
    fn every_entry_can_be_reached_and_speaks_in_sentences() {
        for (first, last, entry) in all() {
            assert!(first <= last);
            assert_eq!(
                find(first),
                Some(entry),
                "{first} is hidden by an earlier entry"
            );
            assert!(entry.hint.ends_with('.'), "{first}: {}", entry.hint);
        }
        assert_eq!(find(999_999_999), None);
    }
}
