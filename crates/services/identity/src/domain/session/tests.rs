use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

const IDLE: Duration = Duration::from_hours(24);
const LASTS: Duration = Duration::from_hours(48);

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

fn session() -> Session {
    let login = Login::new(vec![Method::Password], start(), &Origin::default());
    Session::begin(UserId::generate(), start(), LASTS, login)
}

#[test]
fn each_token_is_followed_by_the_next() {
    let mut session = session();
    for generation in 0..50 {
        let now = at(i64::from(generation) * 60);
        assert_eq!(
            session.refresh(generation, now, IDLE),
            Refresh::Rotated(generation + 1)
        );
        assert_eq!(session.refreshed_at, now);
    }
}

#[test]
fn within_ten_seconds_the_same_successor_is_answered() {
    let mut session = session();
    session.refresh(0, at(0), IDLE);
    let before = session.clone();
    for seconds in [0, 1, 10] {
        assert_eq!(
            session.refresh(0, at(seconds), IDLE),
            Refresh::Repeated(1),
            "{seconds} s"
        );
    }
    assert_eq!(session, before, "a repetition changes nothing");
}

#[test]
fn after_ten_seconds_a_second_use_is_a_theft() {
    let mut session = session();
    session.refresh(0, at(0), IDLE);
    assert_eq!(session.refresh(0, at(11), IDLE), Refresh::Reused);
}

#[test]
fn a_repetition_is_measured_from_its_own_first_use_and_not_from_the_last() {
    let mut session = session();
    session.refresh(0, at(0), IDLE);
    session.refresh(1, at(9), IDLE);
    assert_eq!(session.refresh(0, at(10), IDLE), Refresh::Repeated(1));
    assert_eq!(session.refresh(0, at(11), IDLE), Refresh::Reused);
    assert_eq!(session.refresh(1, at(19), IDLE), Refresh::Repeated(2));
    assert_eq!(session.refresh(1, at(20), IDLE), Refresh::Reused);
}

#[test]
fn a_session_expires_by_age_and_by_rest() {
    let mut session = session();
    assert_eq!(
        session.refresh(0, at(24 * 3600 - 1), IDLE),
        Refresh::Rotated(1)
    );
    assert_eq!(
        session.refresh(1, at(48 * 3600 - 2), IDLE),
        Refresh::Rotated(2)
    );
    assert_eq!(session.refresh(2, at(48 * 3600), IDLE), Refresh::Expired);

    let mut rested = self::session();
    assert_eq!(rested.refresh(0, at(24 * 3600), IDLE), Refresh::Expired);
}

#[test]
fn a_token_from_the_future_is_unknown_and_does_not_end_the_session() {
    let mut session = session();
    assert_eq!(session.refresh(1, at(0), IDLE), Refresh::Unknown);
    assert_eq!(session.refresh(u32::MAX, at(0), IDLE), Refresh::Unknown);
}

#[test]
fn a_storm_of_refreshes_is_remembered_only_so_far() {
    let mut session = session();
    for generation in 0..100 {
        assert_eq!(
            session.refresh(generation, at(1), IDLE),
            Refresh::Rotated(generation + 1)
        );
    }
    assert_eq!(session.used_at.len(), REMEMBERED);
    assert_eq!(session.refresh(84, at(1), IDLE), Refresh::Repeated(85));
    assert_eq!(session.refresh(83, at(1), IDLE), Refresh::Reused);
}

proptest! {
    /// Against a plain table of first uses.
    #[test]
    fn every_history_is_judged_by_the_first_use_of_the_presented_token(
        steps in prop::collection::vec((0u32..12, 0i64..8), 1..15),
    ) {
        let mut session = session();
        let mut now = start();
        let mut first_use: Vec<DateTime<Utc>> = Vec::new();
        for (presented, pause) in steps {
            now += TimeDelta::seconds(pause);
            let outcome = session.refresh(presented, now, IDLE);
            let current = u32::try_from(first_use.len()).unwrap();
            let expected = match presented.cmp(&current) {
                std::cmp::Ordering::Greater => Refresh::Unknown,
                std::cmp::Ordering::Equal => {
                    first_use.push(now);
                    Refresh::Rotated(presented + 1)
                }
                std::cmp::Ordering::Less if now <= first_use[presented as usize] + GRACE => {
                    Refresh::Repeated(presented + 1)
                }
                std::cmp::Ordering::Less => Refresh::Reused,
            };
            prop_assert_eq!(outcome, expected);
        }
    }
}
