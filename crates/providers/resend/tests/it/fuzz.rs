//! Nothing that arrives makes the readers panic.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::DateTime;
use proptest::prelude::*;
use resend::webhook::{Event, EventKind, Headers, SigningSecret, SigningSecrets};
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("2026-11-22T23:41:12Z")),
        Just(Value::from("Permanent")),
    ];
    let keys = vec![
        "type",
        "created_at",
        "data",
        "email_id",
        "to",
        "tags",
        "name",
        "value",
        "bounce",
        "subType",
        "message",
        "failed",
        "reason",
    ];
    let key = prop::sample::select(keys);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

fn secrets() -> SigningSecrets {
    let secret = format!("whsec_{}", STANDARD.encode([7; 32]));
    let secret = SigningSecret::new(&secret.into()).expect("a usable secret");
    SigningSecrets::new(vec![secret]).expect("usable secrets")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(event) = Event::parse(&body) {
            let _reason = event.undeliverable();
        }
    }

    #[test]
    fn a_typed_object_is_an_event_whatever_else_it_says(kind in "[a-z_.]{1,24}", data in any_json(), time in any_json()) {
        let body = json!({"type": kind, "created_at": time, "data": data}).to_string();
        let event = Event::parse(body.as_bytes());
        let event = event.expect("an event");
        prop_assert!(event.to.len() <= body.len());
        if let EventKind::Other(kept) = &event.kind {
            prop_assert_eq!(kept, &kind);
        }
        prop_assert_eq!(Event::parse(body.as_bytes()), Ok(event));
    }

    #[test]
    fn a_stranger_cannot_sign(
        id in prop::collection::vec(any::<u8>(), 0..64),
        time in prop_oneof![Just(b"1700000000".to_vec()), prop::collection::vec(any::<u8>(), 0..16)],
        signature in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..128),
            prop::collection::vec(any::<[u8; 32]>(), 1..12).prop_map(|macs| {
                let macs: Vec<_> = macs.iter().map(|mac| format!("v1,{}", STANDARD.encode(mac))).collect();
                macs.join(" ").into_bytes()
            }),
        ],
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let headers = Headers { id: Some(&id), timestamp: Some(&time), signature: Some(&signature) };
        let now = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        prop_assert!(secrets().verify(headers, &body, now).is_err());
    }
}
