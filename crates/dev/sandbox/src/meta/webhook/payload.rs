//! Webhook bodies, byte for byte as Meta writes them.

use std::io;

use serde::Serialize;
use serde_json::{Value, ser::Formatter};

use super::{Event, MessageEvent, Party, StatusEvent};
use crate::meta::{
    ledger::Item,
    number::Number,
    statuses::{Pricing, StatusError},
};

#[derive(Serialize)]
struct Envelope<'a> {
    object: &'static str,
    entry: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    value: ChangeValue<'a>,
    field: &'static str,
}

#[derive(Serialize)]
struct ChangeValue<'a> {
    messaging_product: &'static str,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<Contact<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<&'a Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statuses: Vec<StatusBody<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    display_phone_number: &'a str,
    phone_number_id: &'a str,
}

#[derive(Serialize)]
struct Contact<'a> {
    profile: ContactProfile<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_id: Option<&'a str>,
    user_id: &'a str,
}

#[derive(Serialize)]
struct ContactProfile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

#[derive(Serialize)]
struct StatusBody<'a> {
    id: &'a str,
    status: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_id: Option<&'a str>,
    recipient_user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<&'a Pricing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [StatusError],
}

/// The body of one POST. Events of the same number and kind share a change; `timestamp` is the
/// time of the webhook, as Meta documents it for statuses.
pub(super) fn body_of(events: &[Event], timestamp: i64) -> Vec<u8> {
    let mut entry: Vec<Entry<'_>> = Vec::new();
    for event in events {
        match event {
            Event::Status(status) => {
                let value = value_for(&mut entry, &status.number, false);
                if status.error.is_none() {
                    // A failed status comes without contacts.
                    add_contact(&mut value.contacts, &status.recipient);
                }
                value.statuses.push(status_body(status, timestamp));
            }
            Event::Message(message) => {
                let value = value_for(&mut entry, &message.number, true);
                add_contact(&mut value.contacts, &message.sender);
                value.messages.push(&message.message);
            }
            Event::Raw(_) => {}
        }
    }
    to_meta_json(&Envelope {
        object: "whatsapp_business_account",
        entry,
    })
}

/// What a batch contains, for the ledger.
pub(super) fn items_of(events: &[Event]) -> Vec<Item> {
    let item = |wamid, event| Item { wamid, event };
    events
        .iter()
        .map(|event| match event {
            Event::Status(status) => {
                let StatusEvent { wamid, status, .. } = &**status;
                item(Some(wamid.clone()), status.as_str())
            }
            Event::Message(message) => {
                let MessageEvent { wamid, .. } = &**message;
                item(Some(wamid.clone()), "message")
            }
            Event::Raw(_) => item(None, "raw"),
        })
        .collect()
}

fn value_for<'a, 'b>(
    entries: &'b mut Vec<Entry<'a>>,
    number: &'a Number,
    inbound: bool,
) -> &'b mut ChangeValue<'a> {
    let at = entries
        .iter()
        .position(|entry| entry.id == &*number.account_id)
        .unwrap_or_else(|| {
            entries.push(Entry {
                id: &number.account_id,
                changes: Vec::new(),
            });
            entries.len() - 1
        });
    let changes = &mut entries[at].changes;
    let at = changes
        .iter()
        .position(|change| {
            change.value.metadata.phone_number_id == &*number.id
                && change.value.statuses.is_empty() == inbound
        })
        .unwrap_or_else(|| {
            changes.push(Change {
                value: ChangeValue {
                    messaging_product: "whatsapp",
                    metadata: Metadata {
                        display_phone_number: &number.digits,
                        phone_number_id: &number.id,
                    },
                    contacts: Vec::new(),
                    messages: Vec::new(),
                    statuses: Vec::new(),
                },
                field: "messages",
            });
            changes.len() - 1
        });
    &mut changes[at].value
}

fn add_contact<'a>(contacts: &mut Vec<Contact<'a>>, party: &'a Party) {
    if contacts.iter().any(|known| known.user_id == party.user_id) {
        return;
    }
    contacts.push(Contact {
        profile: ContactProfile {
            name: party.name.as_deref(),
            username: party.username.as_deref(),
        },
        wa_id: party.wa_id.as_deref(),
        user_id: &party.user_id,
    });
}

fn status_body(event: &StatusEvent, timestamp: i64) -> StatusBody<'_> {
    StatusBody {
        id: &event.wamid,
        status: event.status.as_str(),
        timestamp: timestamp.to_string(),
        recipient_id: event.recipient.wa_id.as_deref(),
        recipient_user_id: &event.recipient.user_id,
        pricing: event.pricing.as_deref(),
        biz_opaque_callback_data: event.opaque.as_deref(),
        errors: event.error.as_slice(),
    }
}

/// JSON with everything beyond ASCII escaped, and `/` as `\/`: whoever checks the signature over
/// re-serialised JSON instead of the bytes received must notice.
pub(in crate::meta) fn to_meta_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut body = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut body, Escaping);
    value
        .serialize(&mut serializer)
        .expect("invariant: maps have string keys and a Vec takes every write");
    body
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| byte.is_ascii() && byte != b'/') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for character in fragment.chars() {
            match character {
                '/' => writer.write_all(b"\\/")?,
                '\0'..='\x7f' => write!(writer, "{character}")?,
                _ => {
                    for unit in character.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_escaped_as_meta_escapes_it() {
        let body = to_meta_json(&json!({"text": "ä 😀 https://example.com/a\n"}));
        assert_eq!(
            String::from_utf8(body).expect("ASCII"),
            r#"{"text":"\u00e4 \ud83d\ude00 https:\/\/example.com\/a\n"}"#
        );
    }
}
