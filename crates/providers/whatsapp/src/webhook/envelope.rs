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

/// Reads a delivery. Whatever is in it ends up in an item, understood or not. Only what describes
/// the items (the number, the users, the time) has none of its own, and of a key given twice the
/// last one counts.
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
            self.keep_rest(object, &["object", "entry"], Origin::default());
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
        } else {
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
        self.keep_rest(&entry, &["id", "time", "changes"], origin);
    }

    fn change(&mut self, raw: &RawValue, mut origin: Origin) {
        let Some(change) = Object::read(raw) else {
            return self.unknown(raw, origin);
        };
        origin.field = change.id("field");
        let value = change.raw("value");
        let object = value.and_then(Object::read);
        let (Some(field), Some(value), Some(object)) = (origin.field.clone(), value, object) else {
            return self.unknown(raw, origin);
        };
        Change::of(self, value, &object, origin.clone()).read(&field);
        self.keep_rest(&change, &["field", "value"], origin);
    }

    /// Keeps the members nothing has read.
    fn keep_rest(&mut self, object: &Object<'_>, known: &[&str], origin: Origin) {
        if let Some(rest) = object.rest(known) {
            self.unknown(&rest, origin);
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
