//! Details of messages, and bodies no sample has.

use serde_json::json;
use whatsapp::webhook::{Content, Interactive, Malformed, MediaKind, Payload, SystemKind, parse};

use crate::fixtures::{content, json as json_of, message, names, parsed, status};

/// A `messages` delivery for one number.
fn delivery(value: serde_json::Value) -> Vec<u8> {
    let mut value = value;
    value["metadata"] = json!({"display_phone_number": "15550783881", "phone_number_id": "1065"});
    let change = json!({"field": "messages", "value": value});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})
        .to_string()
        .into_bytes()
}

#[test]
fn a_user_without_a_number_is_known_by_the_business_scoped_id() {
    let message = message("in-text-username-no-phone.json");
    assert_eq!(message.from, None);
    assert_eq!(
        message.from_user_id.as_deref(),
        Some("US.13491208655302741918")
    );
    let contact = message.contact.expect("the contact with the same id");
    assert_eq!(contact.username.as_deref(), Some("realsheenanelson"));
    assert_eq!(contact.wa_id, None);
    let status = status("status-delivered-bsuid-only.json");
    assert_eq!(status.recipient_id, None);
    let contact = status.contact.expect("the contact with the same id");
    assert_eq!(contact.profile_name.as_deref(), Some("Pablo M."));
}

#[test]
fn contacts_are_matched_by_id_and_never_by_position() {
    let body = delivery(json!({
        "contacts": [{"wa_id": "1", "profile": {"name": "A"}}, {"user_id": "US.2", "profile": {"name": "B"}}],
        "messages": [
            {"id": "m1", "from_user_id": "US.2", "type": "text", "text": {"body": "x"}},
            {"id": "m2", "from": "1", "type": "text", "text": {"body": "y"}},
            {"id": "m3", "from": "9", "type": "text", "text": {"body": "z"}},
        ]
    }));
    let names: Vec<_> = parse(&body)
        .expect("a delivery")
        .items
        .into_iter()
        .map(|item| match item.payload {
            Payload::Message(message) => message.contact.and_then(|contact| contact.profile_name),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [Some("B".to_owned()), Some("A".to_owned()), None]);
}

#[test]
fn a_removed_reaction_has_no_emoji_in_either_spelling() {
    for name in [
        "in-reaction-removed-absent.json",
        "in-reaction-removed-empty.json",
    ] {
        let Content::Reaction(reaction) = content(name) else {
            panic!("{name}");
        };
        assert_eq!(reaction.emoji, None);
        assert_eq!(reaction.message_id.as_deref(), Some("wamid.yzxyzx="));
    }
}

#[test]
fn errors_of_the_value_go_to_its_only_message() {
    let message = message("in-interactive-with-error.json");
    assert_eq!(message.errors[0].code, Some(131_000));
    assert_eq!(
        message.errors[0].details.as_deref(),
        Some("Unsupported webhook payload")
    );
    assert_eq!(
        message.content,
        Content::Unknown {
            kind: Some("interactive".into())
        }
    );
}

#[test]
fn errors_without_messages_are_an_item_of_their_own() {
    let body = delivery(json!({"errors": [{"code": 131_000}]}));
    let items = parse(&body).expect("a delivery").items;
    assert!(
        matches!(&items[0].payload, Payload::Faults(faults) if faults[0].code == Some(131_000))
    );
}

#[test]
fn media_has_its_id_its_digest_and_its_flags() {
    let Content::Media(image) = content("in-image.json") else {
        panic!("an image");
    };
    assert_eq!(
        (image.kind, image.id.as_deref()),
        (MediaKind::Image, Some("1003383421387256"))
    );
    assert!(image.digest().is_some());
    assert_eq!(image.caption.as_deref(), Some("Taj Mahal"));
    let Content::Media(sticker) = content("in-sticker-animated.json") else {
        panic!("a sticker");
    };
    assert!(sticker.animated && !sticker.voice);
    assert_eq!(sticker.digest(), None, "the sample's digest is cut");
}

#[test]
fn an_edit_holds_the_message_as_it_is_now() {
    let Content::Edit(edit) = content("in-edit.json") else {
        panic!("an edit");
    };
    assert_eq!(edit.original_message_id.as_deref().map(str::len), Some(62));
    assert!(matches!(*edit.content, Content::Media(ref media) if media.kind == MediaKind::Image));
}

#[test]
fn prices_keep_their_decimals() {
    let items = json!([{"product_retailer_id": "a", "quantity": 1, "item_price": 19.90, "currency": "EUR"}]);
    let mut body = delivery(json!({"messages": [
        {"id": "m", "from": "1", "type": "order", "order": {"product_items": items}}
    ]}));
    let text = String::from_utf8(body)
        .expect("text")
        .replace("19.9", "19.900000000000000001");
    body = text.into_bytes();
    let items = parse(&body).expect("a delivery").items;
    let Payload::Message(message) = &items[0].payload else {
        panic!("a message");
    };
    let Content::Order(order) = &message.content else {
        panic!("an order");
    };
    assert_eq!(
        order.items[0].item_price.as_deref(),
        Some("19.900000000000000001")
    );
}

#[test]
fn system_messages_tell_old_and_new() {
    let message = message("in-system-number-changed.json");
    let Content::System(system) = &message.content else {
        panic!("a system message");
    };
    assert_eq!(system.kind, SystemKind::UserChangedNumber);
    assert_eq!(message.from.as_deref(), Some("16505551234"));
    assert_eq!(system.wa_id.as_deref(), Some("12195555358"));
    let identity = crate::fixtures::message("in-system-identity-changed.json").identity;
    assert_eq!(
        identity.and_then(|identity| identity.hash).as_deref(),
        Some("xyzxyz")
    );
}

#[test]
fn a_flow_answer_is_json_in_a_string() {
    let Content::Interactive(Interactive::FlowReply(reply)) = content("in-flow-nfm-reply.json")
    else {
        panic!("a flow reply");
    };
    assert_eq!(
        reply.flow_token().as_deref(),
        Some("AQAAAAACS5FpgQ_cAAAAAD0QI3s.")
    );
    let Content::Interactive(Interactive::FlowReply(address)) =
        content("in-nfm-reply-address.json")
    else {
        panic!("an address");
    };
    assert_eq!(
        (address.name.as_deref(), address.flow_token()),
        (Some("address_message"), None)
    );
}

#[test]
fn a_repeated_item_has_its_key_in_whatever_batch_it_comes() {
    let one =
        json!({"id": "m1", "from": "1", "timestamp": "5", "type": "text", "text": {"body": "x"}});
    let two =
        json!({"id": "m2", "from": "1", "timestamp": "5", "type": "text", "text": {"body": "y"}});
    let keys = |messages: serde_json::Value| -> Vec<String> {
        let parsed = parse(&delivery(json!({ "messages": messages }))).expect("a delivery");
        parsed
            .items
            .iter()
            .map(|item| item.key.to_string())
            .collect()
    };
    let together = keys(json!([one, two]));
    assert_eq!(keys(json!([two]))[0], together[1]);
    assert_eq!(keys(json!([one]))[0], together[0]);
    assert_ne!(together[0], together[1]);
}

#[test]
fn one_odd_item_does_not_cost_its_siblings() {
    let sound = json!({"id": "m", "from": "1", "type": "text", "text": {"body": "x"}});
    let odd = json!([
        null, 7, "x", [], {}, {"type": 5}, {"type": "text"}, {"type": "text", "text": null},
        {"type": "text", "text": {"body": {}}}, {"id": {}, "type": "hologram"}, sound
    ]);
    let items = parse(&delivery(json!({ "messages": odd })))
        .expect("a delivery")
        .items;
    assert_eq!(items.len(), 11);
    let Payload::Message(message) = &items[10].payload else {
        panic!("the sound one");
    };
    assert_eq!(message.content, Content::Text("x".into()));
    let bad_entries = json!({"entry": [1, {"id": "2"}, {"changes": [5, {"field": "x"}, {"value": {}}, {"field": "messages", "value": 3}]}]});
    let items = parse(bad_entries.to_string().as_bytes())
        .expect("a delivery")
        .items;
    assert_eq!(items.len(), 6);
    assert!(items.iter().all(|item| item.payload == Payload::Unknown));
}

#[test]
fn a_nul_or_half_an_emoji_costs_one_character() {
    let body = delivery(json!({"messages": [
        {"id": "m1", "from": "1", "type": "text", "text": {"body": "NUL"}},
        {"id": "m2", "from": "1", "type": "text", "text": {"body": "HALF"}},
    ]}));
    let text = String::from_utf8(body).expect("text");
    let text = text
        .replace("NUL", r"a\u0000b")
        .replace("HALF", r"a\ud83db");
    let parsed = parse(text.as_bytes()).expect("a delivery");
    assert_eq!(parsed.repaired, 2);
    for item in parsed.items {
        assert!(!item.raw.get().contains(r"\u0000"));
        let Payload::Message(message) = item.payload else {
            panic!("a message");
        };
        assert_eq!(message.content, Content::Text("a\u{fffd}b".into()));
    }
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let body = br#"{"entry":[{"id":"1","changes":[{"field":"x","field":"messages","value":{"messages":[{"id":"a","id":"b","type":"text","text":{"body":"1","body":"2"}}]}}]}]}"#;
    let items = parse(body).expect("a delivery").items;
    let Payload::Message(message) = &items[0].payload else {
        panic!("a message");
    };
    assert_eq!(message.id.as_deref(), Some("b"));
    assert_eq!(message.content, Content::Text("2".into()));
}

#[test]
fn nesting_cannot_exhaust_the_stack() {
    let nested = |open: &str, close: &str, times: usize| {
        format!("{}1{}", open.repeat(times), close.repeat(times))
    };
    let edits = nested(r#"{"type":"edit","edit":{"message":"#, "}}", 100_000);
    let lists = nested("[", "]", 200_000);
    let sound = r#"{"id":"s","type":"text","text":{"body":"x"}}"#;
    for deep in [edits, lists] {
        let body = format!(
            r#"{{"entry":[{{"changes":[{{"field":"messages","value":{{"messages":[{deep},{sound}]}}}}]}}]}}"#
        );
        let items = parse(body.as_bytes()).expect("a delivery").items;
        assert_eq!(items[0].payload, Payload::Unknown);
        assert!(matches!(items[1].payload, Payload::Message(_)));
    }
}

#[test]
fn the_dashboards_test_button_is_understood() {
    let body = json!({"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "16505551111", "phone_number_id": "123456123"},
        "contacts": [{"profile": {"name": "test user name"}, "wa_id": "16315551181"}],
        "messages": [{"from": "16315551181", "id": "ABGGFlA5Fpa", "timestamp": "1504902988", "type": "text", "text": {"body": "this is a text message"}}]
    }});
    let items = parse(body.to_string().as_bytes())
        .expect("a delivery")
        .items;
    assert!(matches!(&items[0].payload, Payload::Message(message) if message.contact.is_some()));
}

/// The names of the payloads and the JSON of those that were not understood.
fn kept(body: &serde_json::Value) -> Vec<(&'static str, String)> {
    let parsed = parse(body.to_string().as_bytes()).expect("a delivery");
    let of = |item: whatsapp::webhook::Item| {
        let unknown = item.payload == Payload::Unknown;
        let raw = if unknown { item.raw.get() } else { "" };
        (item.payload.name(), raw.to_owned())
    };
    parsed.items.into_iter().map(of).collect()
}

#[test]
fn something_new_beside_something_known_is_kept() {
    let user =
        json!({"messaging_product": "whatsapp", "metadata": {}, "contacts": [{"wa_id": "1"}]});
    for (field, known, list) in [
        ("messages", "message", "messages"),
        ("messages", "status", "statuses"),
        ("calls", "call", "calls"),
        ("smb_message_echoes", "echo", "message_echoes"),
        ("smb_app_state_sync", "contact_change", "state_sync"),
        ("user_preferences", "preference", "user_preferences"),
    ] {
        let mut value = user.clone();
        value[list] = json!([{"id": "x"}]);
        let body =
            |value| json!({"entry": [{"id": "1", "changes": [{"field": field, "value": value}]}]});
        assert_eq!(
            kept(&body(value.clone())),
            [(known, String::new())],
            "{field}"
        );
        value["polls"] = json!([{"id": 7}]);
        value["nothing"] = json!([]);
        let rest = r#"{"polls":[{"id":7}]}"#.to_owned();
        assert_eq!(
            kept(&body(value)),
            [(known, String::new()), ("unknown", rest)],
            "{field}"
        );
    }
}

#[test]
fn something_new_is_kept_wherever_it_stands() {
    let known = ("account_review", String::new());
    let new = |json: &str| ("unknown", json.to_owned());
    let change = json!({"field": "account_review_update", "value": {"decision": "APPROVED"}});
    let mut wider = change.clone();
    wider["b"] = json!(2);
    let body = json!({"object": "x", "a": 1, "entry": [{"id": "1", "time": 5, "c": 3, "changes": [wider]}]});
    let expected = [
        known,
        new(r#"{"b":2}"#),
        new(r#"{"c":3}"#),
        new(r#"{"a":1}"#),
    ];
    assert_eq!(kept(&body), expected);
    let whole = json!({"foo": 1, "object": "x"});
    assert_eq!(kept(&whole), [new(&whole.to_string())]);

    let standby = json!({"standby": {"messages": [{"id": "m"}], "d": 4}, "e": 5});
    let body = json!({"entry": [{"id": "1", "changes": [{"field": "standby", "value": standby}]}]});
    let message = ("standby_message", String::new());
    assert_eq!(kept(&body), [message, new(r#"{"d":4}"#), new(r#"{"e":5}"#)]);
}

#[test]
fn a_history_with_odd_pieces_loses_none() {
    let threads =
        json!([7, {"id": "1", "empty": true}, {"id": "2", "messages": [{"id": "m"}], "f": 6}]);
    let chunk = json!({"metadata": {"phase": 0}, "threads": threads, "g": 7});
    let value = json!({"history": [chunk, 9]});
    let body = json!({"entry": [{"id": "1", "changes": [{"field": "history", "value": value}]}]});
    let names = [
        "history_progress",
        "unknown",
        "unknown",
        "history_message",
        "unknown",
        "unknown",
        "unknown",
    ];
    let texts = [
        "",
        "7",
        r#"{"empty":true,"id":"1"}"#,
        "",
        r#"{"f":6}"#,
        r#"{"g":7}"#,
        "9",
    ];
    let expected: Vec<_> = names.into_iter().zip(texts.map(str::to_owned)).collect();
    assert_eq!(kept(&body), expected);
}

/// A value in a log line is printed with `Debug` sooner or later.
#[test]
fn what_people_write_and_their_numbers_do_not_print() {
    const PRIVATE: &[&str] = &[
        "body",
        "caption",
        "filename",
        "url",
        "name",
        "formatted_name",
        "wa_id",
        "from",
        "to",
        "id",
        "user_id",
        "username",
        "phone",
        "email",
        "title",
        "text",
        "emoji",
        "latitude",
        "address",
        "recipient_id",
        "response_json",
        "profile_picture",
    ];
    fn collect<'v>(key: &str, value: &'v serde_json::Value, found: &mut Vec<&'v str>) {
        match value {
            serde_json::Value::Object(members) => {
                for (key, value) in members {
                    collect(key, value, found);
                }
            }
            serde_json::Value::Array(elements) => {
                for element in elements {
                    collect(key, element, found);
                }
            }
            serde_json::Value::String(text) if PRIVATE.contains(&key) && text.len() > 5 => {
                found.push(text);
            }
            _ => {}
        }
    }
    let mut seen = 0;
    for name in names(&[
        "in-",
        "status-",
        "field-smb",
        "field-standby",
        "field-history",
        "field-calls",
    ]) {
        let sample = json_of(&name);
        let mut private = Vec::new();
        let values = sample.pointer("/entry/0/changes").unwrap_or(&sample);
        collect("", values, &mut private);
        for item in parsed(&name).items {
            let shown = format!("{:?} {:?}", item.payload, item.raw);
            for text in &private {
                assert!(!shown.contains(text), "{name} prints {text}: {shown}");
            }
        }
        seen += private.len();
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn only_what_is_no_object_is_malformed() {
    for body in [&b""[..], b"{", b"\xff", b"{} {}", b"nonsense"] {
        assert!(
            matches!(parse(body), Err(Malformed::NotJson { .. })),
            "{body:?}"
        );
    }
    for body in [&b"[]"[..], b"1", b"null", br#""x""#] {
        assert!(
            matches!(parse(body), Err(Malformed::NotAnObject)),
            "{body:?}"
        );
    }
    assert_eq!(parse(b"{}").expect("an object").items.len(), 1);
    let empty = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    assert_eq!(parse(empty).expect("an object").items.len(), 0);
}
