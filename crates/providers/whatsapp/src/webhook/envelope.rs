//! From a body to a flat list of items.

mod change;

use serde_json::value::RawValue;

use self::change::Change;
use super::{
    item::{Item, Origin, Payload},
    json::{Object, Raw},
    repair::repair,
};

/// Items nested deeper than this are kept but not read. WhatsApp's own nesting stays under 20.
pub const MAX_ITEM_DEPTH: usize = 64;

/// A delivery, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What it is about; `whatsapp_business_account`.
    pub object: Option<String>,
    /// All items, in the order of the body.
    pub items: Vec<Item>,
    /// Places where text had to be replaced by U+FFFD.
    pub repaired: usize,
}

/// A body that is no JSON object: keep it aside and answer 200, or the sender repeats it for days.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Not JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// Reads a delivery. Whatever is in it ends up in exactly one item, understood or not.
///
/// # Errors
/// [`Malformed`] if the body is no JSON object.
pub fn parse(body: &[u8]) -> Result<Parsed, Malformed> {
    let body = repair(body);
    let root: &RawValue = serde_json::from_str(&body.text).map_err(|error| Malformed::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let object = Object::read(root).ok_or(Malformed::NotAnObject)?;
    let mut reader = Reader {
        items: Vec::new(),
        deep: body.depth > MAX_ITEM_DEPTH,
    };
    reader.root(root, &object);
    Ok(Parsed {
        object: object.id("object"),
        items: reader.items,
        repaired: body.replaced,
    })
}

/// Collects items.
struct Reader {
    items: Vec<Item>,
    /// Whether something in the body is nested deeply enough to check each item.
    deep: bool,
}

impl Reader {
    fn root(&mut self, raw: &RawValue, object: &Object<'_>) {
        if object.has("entry") {
            for entry in object.list("entry") {
                self.entry(entry);
            }
        } else if object.has("field") && object.has("value") {
            // The dashboard's test button sends a bare change.
            self.change(raw, Origin::default());
        } else if let Some(field) = bare_field(object) {
            // Some of Meta's pages show a value without its envelope.
            let origin = Origin {
                field: Some(field.to_owned()),
                ..Origin::default()
            };
            Change::of(self, raw, object, origin).read(field);
        } else if !object.has("object") {
            self.unknown(raw, Origin::default());
        }
    }

    fn entry(&mut self, raw: &RawValue) {
        let Some(entry) = Object::read(raw) else {
            return self.unknown(raw, Origin::default());
        };
        let id = entry.id("id");
        let origin = Origin {
            waba_id: id.clone(),
            entry_id: id,
            entry_at: entry.time("time"),
            ..Origin::default()
        };
        let changes = entry.list("changes");
        if changes.is_empty() {
            return self.unknown(raw, origin);
        }
        for change in changes {
            self.change(change, origin.clone());
        }
    }

    fn change(&mut self, raw: &RawValue, mut origin: Origin) {
        let change = Object::read(raw);
        origin.field = change.as_ref().and_then(|change| change.id("field"));
        let value = change.as_ref().and_then(|change| change.raw("value"));
        let (Some(field), Some(value)) = (origin.field.clone(), value) else {
            return self.unknown(raw, origin);
        };
        match Object::read(value) {
            Some(object) => Change::of(self, value, &object, origin).read(&field),
            None => self.unknown(raw, origin),
        }
    }

    fn unknown(&mut self, raw: &RawValue, origin: Origin) {
        let key = change::fallback_key("unknown", &origin, raw);
        self.items.push(Item {
            origin,
            key,
            payload: Payload::Unknown,
            raw: Raw::new(raw),
        });
    }
}

/// The field of a value that came without its envelope.
fn bare_field(value: &Object<'_>) -> Option<&'static str> {
    const TELLTALES: &[(&str, &str)] = &[
        ("history", "history"),
        ("message_echoes", "smb_message_echoes"),
        ("state_sync", "smb_app_state_sync"),
        ("user_preferences", "user_preferences"),
        ("calls", "calls"),
        ("standby", "standby"),
        ("messages", "messages"),
        ("statuses", "messages"),
        ("user_actions", "messages"),
    ];
    TELLTALES
        .iter()
        .find(|(key, _)| value.has(key))
        .map(|(_, field)| *field)
}
