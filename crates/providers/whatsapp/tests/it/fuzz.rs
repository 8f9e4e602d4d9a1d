//! Nothing in a body makes the reader panic, and what is read twice is the same.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use whatsapp::{CallbackKey, phone::match_candidates, webhook::parse};

use crate::fixtures::{bytes, names};

static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let names = names(&["in-", "status-", "field-"]);
    names.iter().map(|name| bytes(name)).collect()
});

fn sample() -> impl Strategy<Value = Vec<u8>> {
    (0..SAMPLES.len()).prop_map(|index| SAMPLES[index].clone())
}

/// Any JSON, with Meta's keys more often than chance would have it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("text")),
        Just(Value::from("edit")),
        Just(Value::from("messages")),
    ];
    let key = prop_oneof![
        Just("entry"),
        Just("changes"),
        Just("field"),
        Just("value"),
        Just("messages"),
        Just("statuses"),
        Just("contacts"),
        Just("type"),
        Just("text"),
        Just("edit"),
        Just("message"),
        Just("errors"),
        Just("history"),
        Just("threads"),
        Just("standby"),
        Just("metadata"),
        Just("id"),
        Just("timestamp"),
        Just("interactive"),
    ];
    leaf.prop_recursive(8, 128, 6, move |inner| {
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

/// Replaces the value at a random place of a sample; false if it has fewer places.
fn replace(value: &mut Value, at: &mut usize, with: &Value) -> bool {
    if *at == 0 {
        *value = with.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Object(members) => members.values_mut().any(|child| replace(child, at, with)),
        Value::Array(elements) => elements.iter_mut().any(|child| replace(child, at, with)),
        _ => false,
    }
}

/// Every text, number and truth value in it.
fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => members.values().flat_map(leaves).collect(),
        Value::Array(elements) => elements.iter().flat_map(leaves).collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![value],
    }
}

/// Takes out what describes items and is in none: the number, the users, errors that became part
/// of a message.
fn without_descriptions(value: &mut Value) {
    let Value::Object(members) = value else {
        return;
    };
    for key in ["metadata", "contacts", "errors"] {
        members.remove(key);
    }
    if let Some(Value::Object(standby)) = members.get_mut("standby") {
        standby.remove("contacts");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
        let _verdict = parse(&body).is_ok();
    }

    #[test]
    fn arbitrary_json_loses_nothing(
        field in prop::sample::select(vec!["messages", "standby", "calls", "smb_message_echoes", "user_preferences", "holograms"]),
        value in any_json(),
    ) {
        let body = serde_json::json!({"entry": [{"id": "1", "changes": [{"field": field, "value": value}]}]}).to_string();
        let parsed = parse(body.as_bytes()).expect("an object");
        prop_assert!(!parsed.items.is_empty());
        let kept: Vec<Value> = parsed
            .items
            .iter()
            .map(|item| serde_json::from_str(item.raw.get()).expect("JSON"))
            .collect();
        let kept: Vec<&Value> = kept.iter().flat_map(leaves).collect();
        // Out of the body: that a number may change on its way into a text is not the reader's doing.
        let mut sent: Value = serde_json::from_str(&body).expect("JSON");
        let sent = sent.pointer_mut("/entry/0/changes/0/value").expect("the value");
        without_descriptions(sent);
        for leaf in leaves(sent) {
            prop_assert!(kept.contains(&leaf), "{leaf} is lost");
        }
    }

    #[test]
    fn a_sample_with_changed_bytes_does_not_panic(
        mut body in sample(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(parsed) = parse(&body) {
            prop_assert_eq!(Ok(parsed), parse(&body).map_err(|_| ()));
        }
    }

    #[test]
    fn a_cut_sample_is_malformed(body in sample(), at in any::<prop::sample::Index>()) {
        let text = String::from_utf8(body).expect("text");
        let text = text.trim_end();
        let at = at.index(text.len());
        prop_assert!(parse(&text.as_bytes()[..at]).is_err());
    }

    #[test]
    fn a_sample_with_a_changed_value_still_yields_items(
        body in sample(),
        at in 1_usize..60,
        with in any_json(),
    ) {
        let mut value: Value = serde_json::from_slice(&body).expect("JSON");
        let _replaced = replace(&mut value, &mut { at }, &with);
        let items = parse(value.to_string().as_bytes()).expect("an object").items;
        let has_no_entries = value["entry"] == serde_json::json!([]);
        prop_assert_eq!(items.is_empty(), has_no_entries);
    }

    #[test]
    fn any_text_can_be_asked_for_a_mark_or_a_number(text in "\\PC{0,64}") {
        let key = CallbackKey::new(&"secret".into());
        prop_assert_eq!(key.open(&text), None);
        prop_assert!(match_candidates(&text).len() <= 2);
    }
}
