//! Bodies as Resend documents them, and as it does not.

use resend::webhook::{BounceKind, Event, EventKind, Malformed, Undeliverable};
use serde_json::{Value, json};

fn parse(body: &Value) -> Event {
    Event::parse(body.to_string().as_bytes()).expect("an event")
}

fn about(kind: &str, more: &Value) -> Value {
    let mut data = json!({
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "created_at": "2026-11-22T23:41:11.894719+00:00",
        "from": "App <app@switchboard.example>",
        "to": ["ada@example.com"],
        "subject": "Reset your password",
        "tags": {"category": "password_reset"},
    });
    let more = more.as_object().expect("an object").clone();
    data.as_object_mut().expect("an object").extend(more);
    json!({"type": kind, "created_at": "2026-11-22T23:41:12.126Z", "data": data})
}

#[test]
fn a_delivered_email_is_read() {
    let event = parse(&about("email.delivered", &json!({})));
    assert_eq!(event.kind, EventKind::Delivered);
    assert_eq!(
        event.email_id.as_deref(),
        Some("56761188-7520-42d8-8898-ff6fc54ce618")
    );
    assert_eq!(event.to, ["ada@example.com"]);
    assert_eq!(event.tags["category"], "password_reset");
    let at = event.created_at.expect("a time");
    assert_eq!(
        at.timestamp_millis() % 1000,
        126,
        "the event's time, not the e-mail's"
    );
    assert_eq!(event.undeliverable(), None);
}

#[test]
fn only_what_came_back_for_good_stops_further_email() {
    let bounced = |kind: &str, sub_type: &str| {
        let bounce = json!({"type": kind, "subType": sub_type, "message": "550 ada@example.com",
            "diagnosticCode": ["smtp; 550 5.1.1"]});
        parse(&about("email.bounced", &json!({"bounce": bounce})))
    };
    let general = bounced("Permanent", "General");
    assert_eq!(general.undeliverable(), Some(Undeliverable::Bounced));
    let bounce = general.bounce.expect("a bounce");
    assert_eq!(bounce.kind, BounceKind::Permanent);
    assert_eq!(bounce.sub_type.as_deref(), Some("General"));
    assert_eq!(bounced("Transient", "MailboxFull").undeliverable(), None);
    assert_eq!(
        bounced("Undetermined", "Undetermined").undeliverable(),
        None
    );
    let new = bounced("Quantum", "Entangled");
    assert_eq!(new.undeliverable(), None);
    assert_eq!(
        new.bounce.map(|bounce| bounce.kind),
        Some(BounceKind::Other("Quantum".into()))
    );
    let without = parse(&about("email.bounced", &json!({})));
    assert_eq!(without.undeliverable(), None);
    let complained = parse(&about("email.complained", &json!({})));
    assert_eq!(complained.undeliverable(), Some(Undeliverable::Complained));
    let suppressed = parse(&about("email.suppressed", &json!({})));
    assert_eq!(suppressed.undeliverable(), Some(Undeliverable::Suppressed));
    let failed = json!({"failed": {"reason": "reached_daily_quota"}});
    let failed = parse(&about("email.failed", &failed));
    assert_eq!(failed.failure.as_deref(), Some("reached_daily_quota"));
    assert_eq!(failed.undeliverable(), None);
}

#[test]
fn tags_are_read_in_both_shapes() {
    let tags = |tags: Value| parse(&about("email.sent", &json!({"tags": tags}))).tags;
    let object = tags(json!({"a": "1", "b": 2, "c": true, "d": null, "e": []}));
    let list = tags(
        json!([{"name": "a", "value": "1"}, {"name": "b", "value": 2},
        {"name": "c", "value": true}, {"name": "d"}, {"value": "x"}, "y"]),
    );
    assert_eq!(object, list);
    assert_eq!(object.len(), 3);
    assert!(tags(json!("category")).is_empty());
}

#[test]
fn unknown_types_are_kept() {
    let contact = json!({"type": "contact.created", "created_at": "2026-11-22 23:41:12.126+00",
        "data": {"id": "1", "email": "ada@example.com"}});
    let event = parse(&contact);
    assert_eq!(event.kind, EventKind::Other("contact.created".into()));
    assert!(
        event.created_at.is_some(),
        "PostgreSQL's way of writing times"
    );
    assert_eq!((event.email_id, event.to), (None, Vec::new()));
}

#[test]
fn strange_fields_are_absent_and_not_fatal() {
    let strange = json!({"type": "email.sent", "created_at": 7,
        "data": {"email_id": 7, "to": "ada@example.com", "bounce": [], "tags": 3, "failed": "x"}});
    let event = parse(&strange);
    assert_eq!(event.kind, EventKind::Sent);
    assert_eq!((event.created_at, &event.email_id), (None, &None));
    assert_eq!(event.to, ["ada@example.com"]);
    for data in [json!(null), json!([]), json!("x")] {
        assert_eq!(
            parse(&json!({"type": "email.sent", "data": data})).to.len(),
            0
        );
    }
}

#[test]
fn what_is_no_event_is_told_apart() {
    for body in ["", "[]", "7", "{", "\u{feff}{}", "{\"type\": \"\\ud800\"}"] {
        assert_eq!(
            Event::parse(body.as_bytes()),
            Err(Malformed::NotAnObject),
            "{body}"
        );
    }
    for body in ["{}", "{\"type\": 7}", "{\"type\": \"\"}"] {
        assert_eq!(
            Event::parse(body.as_bytes()),
            Err(Malformed::NoType),
            "{body}"
        );
    }
}

#[test]
fn addresses_are_not_printed() {
    let bounce = json!({"type": "Permanent", "message": "550 ada@example.com unknown"});
    let event = parse(&about(
        "email.bounced",
        &json!({"bounce": bounce, "tags": {"who": "ada"}}),
    ));
    let printed = format!("{event:?}");
    assert!(!printed.contains("ada"), "{printed}");
    assert!(printed.contains("Permanent"), "{printed}");
}
