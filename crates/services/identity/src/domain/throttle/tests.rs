use proptest::prelude::*;

use super::*;

const ALL: [Rule; 5] = [ACCOUNT, CODES, ADDRESS, NETWORK, LETTERS];

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap()
}

/// Nothing has failed for long.
const fn fresh() -> Counter {
    Counter {
        failures: 1,
        failed_at: DateTime::UNIX_EPOCH,
        blocked_until: None,
    }
}

#[test]
fn ten_wrong_passwords_are_free_and_then_waits_double_up_to_an_hour() {
    let (mut now, mut counter) = (start(), fresh());
    for _ in 0..10 {
        counter = ACCOUNT.attempt(counter, now).unwrap();
    }
    for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600] {
        let wait = TimeDelta::seconds(wait);
        assert_eq!(ACCOUNT.attempt(counter, now), Err(wait));
        now += wait;
        counter = ACCOUNT.attempt(counter, now).unwrap();
    }
}

#[test]
fn a_codes_sixth_try_waits_ten_minutes() {
    let (now, mut counter) = (start(), fresh());
    for _ in 0..5 {
        counter = CODES.attempt(counter, now).unwrap();
    }
    assert_eq!(CODES.attempt(counter, now), Err(TimeDelta::minutes(10)));
}

#[test]
fn counters_fade() {
    let (now, mut counter) = (start(), fresh());
    for _ in 0..9 {
        counter = ACCOUNT.attempt(counter, now).unwrap();
    }
    let later = ACCOUNT.attempt(counter, now + TimeDelta::hours(8)).unwrap();
    assert_eq!(later.failures, 9 - 4 + 1);
    let much_later = ACCOUNT.attempt(counter, now + FORGOTTEN_AFTER).unwrap();
    assert_eq!(much_later.failures, 1);
}

#[test]
fn an_attempt_that_was_right_leaves_no_wait() {
    let (now, mut counter) = (start(), fresh());
    for _ in 0..10 {
        counter = ACCOUNT.attempt(counter, now).unwrap();
    }
    let counter = ACCOUNT.take_back(counter);
    assert_eq!((counter.failures, counter.blocked_until), (9, None));
    assert!(ACCOUNT.attempt(counter, now).is_ok());
}

proptest! {
    /// Whatever the rhythm, nobody guesses faster than the free ones and one for each wait.
    #[test]
    fn nobody_guesses_faster_than_the_rule(which in 0..ALL.len(), pauses in prop::collection::vec(0_i64..7_200, 1..200)) {
        let rule = ALL[which];
        let (mut now, mut counter, mut admitted) = (start(), fresh(), 0_i64);
        for pause in pauses {
            now += TimeDelta::seconds(pause);
            match rule.attempt(counter, now) {
                Ok(next) => {
                    admitted += 1;
                    prop_assert!(next.failures <= rule.most());
                    prop_assert_eq!(next.blocked_until.is_some(), next.failures >= rule.free);
                    counter = next;
                }
                Err(wait) => {
                    prop_assert!(wait > TimeDelta::zero() && wait <= LONGEST);
                    prop_assert!(rule.attempt(counter, now + wait).is_ok());
                }
            }
        }
        let passed = (now - start()).num_seconds();
        let faded = passed / rule.fades.num_seconds();
        let waited = passed / rule.first_wait.num_seconds();
        prop_assert!(admitted <= i64::from(rule.free) + faded + waited + 1);
    }

    #[test]
    fn every_counter_is_forgotten_before_it_is_swept(which in 0..ALL.len(), failures in 0_u32..10_000) {
        let rule = ALL[which];
        let counter = Counter { failures: failures.min(rule.most()), failed_at: start(), blocked_until: None };
        let next = rule.attempt(counter, start() + FORGOTTEN_AFTER).unwrap();
        prop_assert_eq!(next.failures, 1);
    }

    #[test]
    fn taking_back_never_makes_it_worse(which in 0..ALL.len(), tries in 1_usize..60) {
        let rule = ALL[which];
        let (mut now, mut counter) = (start(), fresh());
        for _ in 0..tries {
            now = counter.blocked_until.unwrap_or(now).max(now);
            let before = counter;
            counter = rule.attempt(counter, now).unwrap();
            let back = rule.take_back(counter);
            prop_assert!(back.failures <= before.failures);
            prop_assert!(back.blocked_until <= counter.blocked_until);
        }
    }
}
