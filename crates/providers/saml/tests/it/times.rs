//! The windows of a message, each edge of them. Our clock may differ by three minutes.

use chrono::TimeDelta;
use saml::{Expectation, MAX_SKEW, Refusal};

use crate::documents::{Parts, after, now};
use crate::world::{World, requested};

type Field = fn(&mut Parts) -> &mut Option<String>;

const ISSUED: [Field; 2] = [
    |parts| &mut parts.response_issued,
    |parts| &mut parts.issued,
];
const ENDS: [Field; 2] = [
    |parts| &mut parts.conditions_end,
    |parts| &mut parts.confirmation_end,
];

fn set(field: Field, value: Option<String>) -> Parts {
    Parts::with(|parts| *field(parts) = value)
}

#[test]
fn ends_are_kept() {
    let mut world = World::start();
    for (at, field) in ENDS.into_iter().enumerate() {
        for (reason, end) in [
            ("accepted", -179),
            ("expired", -180),
            ("expired", -3600),
            ("accepted", 24 * 3600),
            ("lasts_too_long", 24 * 3600 + 181),
        ] {
            let parts = set(field, Some(after(end)));
            if reason == "accepted" {
                world.assert_accepted(&format!("end {at} in {end} s"), &parts);
            } else {
                world.assert_refused(reason, &format!("end {at} in {end} s"), &parts);
            }
        }
        world.assert_refused("instant_missing", "no end", &set(field, None));
        let never = Some("9999-12-31T23:59:59Z".to_owned());
        world.assert_refused("lasts_too_long", "never", &set(field, never));
    }
}

#[test]
fn an_end_that_is_now_is_reached_when_clocks_agree() {
    let mut world = World::start();
    let expected = Expectation {
        skew: TimeDelta::zero(),
        ..requested()
    };
    for field in ENDS {
        let xml = world.signed(&set(field, Some(after(0))), &["_a"]);
        let refusal = world.verify_with(&xml, &expected).expect_err("too late");
        assert_eq!(refusal.reason(), "expired");
        let xml = world.signed(&set(field, Some(after(1))), &["_a"]);
        assert!(world.verify_with(&xml, &expected).is_ok());
    }
}

#[test]
fn nobody_may_be_more_patient_than_three_minutes() {
    let mut world = World::start();
    let expected = Expectation {
        skew: TimeDelta::hours(5),
        ..requested()
    };
    let late = set(ENDS[0], Some(after(-MAX_SKEW.num_seconds())));
    let xml = world.signed(&late, &["_a"]);
    assert!(world.verify_with(&xml, &expected).is_err());
}

#[test]
fn messages_of_the_future_and_of_long_ago_are_refused() {
    let mut world = World::start();
    for field in ISSUED {
        for (reason, issued) in [
            ("issued_in_future", 3600),
            ("issued_in_future", 181),
            ("too_old", -780),
            ("too_old", -86_400),
        ] {
            world.assert_refused(reason, reason, &set(field, Some(after(issued))));
        }
        world.assert_accepted("at the edge", &set(field, Some(after(180))));
        world.assert_accepted("at the edge", &set(field, Some(after(-779))));
        world.assert_refused("instant_missing", "no time", &set(field, None));
    }
}

#[test]
fn starts_are_kept() {
    let mut world = World::start();
    let start: Field = |parts| &mut parts.not_before;
    world.assert_refused("not_yet_valid", "later", &set(start, Some(after(181))));
    world.assert_accepted("soon enough", &set(start, Some(after(180))));
    world.assert_accepted("without a start", &set(start, None));
    let session: Field = |parts| &mut parts.session_end;
    world.assert_refused(
        "expired",
        "the session is over",
        &set(session, Some(after(-180))),
    );
    world.assert_accepted("the session lasts", &set(session, Some(after(600))));
    let login: Field = |parts| &mut parts.authn_instant;
    world.assert_refused(
        "issued_in_future",
        "a login to come",
        &set(login, Some(after(181))),
    );
    world.assert_refused("instant_missing", "no login", &set(login, None));
}

#[test]
fn times_that_are_none_are_refused() {
    let mut world = World::start();
    for bad in [
        "",
        "tomorrow",
        "2026-13-01T00:00:00Z",
        "2026-09-21T14:13:18",
        "2026-09-21T14:13:18+00:00",
        "2026-09-21 14:13:18Z",
        "99999-09-21T14:13:18Z",
        "1790000000",
    ] {
        for field in ISSUED.into_iter().chain(ENDS) {
            let parts = set(field, Some(bad.to_owned()));
            let xml = world.signed(&parts, &["_r"]);
            assert_eq!(world.reason(&xml), "instant", "{bad}");
        }
    }
}

#[test]
fn the_sentence_says_by_how_much() {
    let mut world = World::start();
    let xml = world.signed(&set(ENDS[0], Some(after(-200))), &["_a"]);
    let refusal = world.verify(&xml).expect_err("expired");
    assert_eq!(
        refusal.to_string(),
        "the assertion's Conditions expired 200 s ago; compare the clocks of the identity provider and ours"
    );
    assert!(matches!(refusal, Refusal::Expired { seconds: 200, .. }));
}

/// What the caller stores an id for: as long as the assertion would pass, and not a second less.
#[test]
fn the_end_of_an_assertion_is_where_it_stops_to_pass() {
    let mut world = World::start();
    for end in [after(60), after(300), after(3600)] {
        let parts = Parts::with(|parts| {
            parts.conditions_end = Some(end.clone());
            parts.confirmation_end = Some(end.clone());
        });
        let xml = world.signed(&parts, &["_r"]);
        let assertion = world.verify(&xml).expect("good");
        assert!(assertion.not_on_or_after <= now() + TimeDelta::minutes(13));
        let at = |now| Expectation { now, ..requested() };
        let last = at(assertion.not_on_or_after - TimeDelta::seconds(1));
        assert!(world.verify_with(&xml, &last).is_ok(), "{end}");
        let over = at(assertion.not_on_or_after);
        assert!(world.verify_with(&xml, &over).is_err(), "{end}");
    }
}
