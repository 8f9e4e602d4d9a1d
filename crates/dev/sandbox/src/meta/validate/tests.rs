use serde_json::{Value, json};

use super::*;

fn code(part: &Value) -> Option<u32> {
    let mut body = json!({"messaging_product": "whatsapp", "to": "+16505551234"});
    let (body_map, part) = (body.as_object_mut().expect("an object"), part.as_object());
    body_map.extend(part.expect("an object").clone());
    message(&body).err().map(|error| error.code)
}

fn button(id: &str, title: &str) -> Value {
    json!({"type": "reply", "reply": {"id": id, "title": title}})
}

fn interactive(kind: &str, action: &Value) -> Value {
    json!({"type": "interactive", "interactive":
        {"type": kind, "body": {"text": "Choose"}, "action": action}})
}

#[test]
fn well_formed_messages_of_every_type_pass() {
    let wamid = "wamid.HBgL";
    for part in [
        json!({"type": "text", "text": {"body": "Hi", "preview_url": false}}),
        json!({"text": {"body": "type is text when absent"}}),
        json!({"type": "image", "image": {"link": "https://a.example/b.png", "caption": "c"}}),
        json!({"type": "document", "document": {"id": "1", "filename": "a.pdf"}}),
        json!({"type": "audio", "audio": {"id": "1", "voice": true}}),
        json!({"type": "location", "location": {"latitude": "37.4", "longitude": -122.1}}),
        json!({"type": "contacts", "contacts":
            [{"name": {"formatted_name": "A B", "first_name": "A"}}]}),
        json!({"type": "reaction", "reaction": {"message_id": wamid, "emoji": "👍"}}),
        json!({"type": "reaction", "reaction": {"message_id": wamid, "emoji": ""}}),
        json!({"type": "text", "text": {"body": "Hi"}, "context": {"message_id": wamid}}),
        interactive(
            "button",
            &json!({"buttons": [button("1", "Yes"), button("2", "No")]}),
        ),
        interactive(
            "list",
            &json!({"button": "Open", "sections":
            [{"rows": [{"id": "1", "title": "One", "description": "d"}]}]}),
        ),
        interactive(
            "cta_url",
            &json!({"name": "cta_url", "parameters":
            {"display_text": "Shop", "url": "https://a.example"}}),
        ),
        interactive(
            "location_request_message",
            &json!({"name": "send_location"}),
        ),
        json!({"type": "template", "template": {"name": "a", "language": {"code": "en_US"}}}),
    ] {
        assert_eq!(code(&part), None, "{part}");
    }
}

#[test]
fn malformed_messages_get_the_code_meta_gives() {
    let long = "x".repeat(4097);
    let four = json!({"buttons": [button("1", "A"), button("2", "B"), button("3", "C"),
        button("4", "D")]});
    let rows: Vec<_> = (0..11)
        .map(|row| json!({"id": row.to_string(), "title": "T"}))
        .collect();
    for (part, expected) in [
        (json!({"type": "text"}), 131_008),
        (json!({"type": "text", "text": {"body": ""}}), 131_008),
        (json!({"type": "text", "text": {"body": long}}), 100),
        (json!({"type": "text", "text": "Hi"}), 100),
        (json!({"type": "poll", "poll": {}}), 100),
        (json!({"type": "image", "image": {}}), 131_008),
        (
            json!({"type": "image", "image": {"id": "1", "link": "https://a.example"}}),
            100,
        ),
        (
            json!({"type": "image", "image": {"link": "file:///etc/hosts"}}),
            100,
        ),
        (
            json!({"type": "audio", "audio": {"id": "1", "caption": "c"}}),
            100,
        ),
        (
            json!({"type": "location", "location": {"latitude": 91, "longitude": 0}}),
            131_009,
        ),
        (
            json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}}]}),
            131_008,
        ),
        (
            json!({"type": "reaction", "reaction": {"message_id": "m1", "emoji": "👍"}}),
            131_009,
        ),
        (
            json!({"text": {"body": "Hi"}, "recipient_type": "group"}),
            100,
        ),
        (json!({"text": {"body": "Hi"}, "to": "hello"}), 100),
        (
            json!({"text": {"body": "Hi"}, "biz_opaque_callback_data": "x".repeat(513)}),
            100,
        ),
        (interactive("button", &four), 131_009),
        (
            interactive(
                "button",
                &json!({"buttons": [button("1", "A"), button("1", "B")]}),
            ),
            131_009,
        ),
        (
            interactive(
                "button",
                &json!({"buttons": [button("1", &"t".repeat(21))]}),
            ),
            131_009,
        ),
        (
            interactive(
                "list",
                &json!({"button": "Open", "sections": [{"rows": rows}]}),
            ),
            131_009,
        ),
        (interactive("poll", &json!({})), 100),
        (
            json!({"type": "template", "template": {"name": "a"}}),
            131_008,
        ),
    ] {
        assert_eq!(code(&part), Some(expected), "{part}");
    }
}

#[test]
fn a_recipient_is_a_phone_number_or_a_user_id() {
    let to = |part: Value| {
        let mut body = json!({"messaging_product": "whatsapp", "text": {"body": "Hi"}});
        let map = body.as_object_mut().expect("an object");
        map.extend(part.as_object().expect("an object").clone());
        message(&body)
            .map(|message| message.recipient)
            .map_err(|error| error.code)
    };
    let user = "US.13491208655302741918";
    let phone = Recipient::Phone("16505551234".into());
    assert_eq!(to(json!({"to": "+1 650-555-1234"})), Ok(phone.clone()));
    assert_eq!(
        to(json!({"recipient": user})),
        Ok(Recipient::UserId(user.into()))
    );
    assert_eq!(
        to(json!({"to": "16505551234", "recipient": user})),
        Ok(phone)
    );
    assert_eq!(to(json!({"recipient": "16505551234"})), Err(100));
    assert_eq!(to(json!({})), Err(100));
}
