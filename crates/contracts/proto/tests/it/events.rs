use std::{collections::HashSet, time::Duration};

use proto::events;

#[test]
fn routing_keys_are_unique_and_every_event_says_what_happened() {
    let mut seen = HashSet::new();
    for spec in events::all() {
        assert!(seen.insert(spec.routing_key), "{} twice", spec.routing_key);
        assert!(
            spec.summary.ends_with('.'),
            "{} needs a comment",
            spec.event_type
        );
    }
}

#[test]
fn an_outbox_is_kept_as_long_as_its_owner_promises_for_any_event() {
    let days = |owner| events::retention(owner).as_secs() / Duration::from_hours(24).as_secs();
    assert_eq!(
        [days("edge"), days("identity"), days("messaging")],
        [14, 30, 7]
    );
    assert_eq!(days("nobody"), 30);
}
