//! One change: the value of one field of one entry.

mod lists;

use serde_json::value::RawValue;

use super::{MAX_ITEM_DEPTH, Reader};
use crate::webhook::{
    channel_field::ChannelField,
    coexistence::Handover,
    contact::Contact,
    dedupe::{DedupeKey, canonical},
    item::{Item, Number, Origin, Payload},
    json::{Object, Raw},
    pieces::Fault,
    repair,
    status::Status,
};

/// A change being read.
pub(super) struct Change<'r, 'v> {
    reader: &'r mut Reader,
    raw: &'v RawValue,
    value: &'v Object<'v>,
    origin: Origin,
    contacts: Vec<Contact>,
}

/// Members that describe the items of a value and are none themselves.
const DESCRIPTIONS: &[&str] = &["messaging_product", "metadata", "contacts"];

/// How an element's key and payload come out of its object. `None` for the key: none of its own.
type Reading = (Option<DedupeKey>, Payload);

impl<'r, 'v> Change<'r, 'v> {
    pub(super) fn of(
        reader: &'r mut Reader,
        raw: &'v RawValue,
        value: &'v Object<'v>,
        mut origin: Origin,
    ) -> Self {
        origin.number = number(value);
        // Partner events carry a portfolio's id in the entry.
        let named = value
            .object("waba_info")
            .and_then(|info| info.id("waba_id"));
        origin.waba_id = named.or(origin.waba_id);
        let contacts = value.objects("contacts");
        Self {
            reader,
            raw,
            value,
            contacts: contacts.iter().map(Contact::read).collect(),
            origin,
        }
    }

    pub(super) fn read(mut self, field: &str) {
        let start = self.reader.items.len();
        let known = match field {
            "messages" => self.messages(),
            "standby" => self.standby(),
            "history" => self.history(),
            "smb_message_echoes" | "message_echoes" => self.echoes(),
            "smb_app_state_sync" => self.state_sync(),
            "user_preferences" => self.user_preferences(),
            "calls" => self.calls(),
            // What follows is about the value as a whole, which its item keeps.
            "messaging_handovers" => {
                let payload = Payload::Handover(Handover::read(self.value));
                return self.whole("handover", payload);
            }
            _ => {
                let payload = Payload::ChannelField(ChannelField::read(field, self.value));
                return self.whole("field", payload);
            }
        };
        let faults = Fault::list(self.value);
        if self.reader.items.len() > start {
            self.keep_rest(
                self.value,
                &[DESCRIPTIONS, known].concat(),
                !faults.is_empty(),
            );
            self.attach_faults(start, faults);
        } else if faults.is_empty() {
            self.whole("unknown", Payload::Unknown);
        } else {
            self.whole("faults", Payload::Faults(faults));
        }
    }

    /// Errors of a value with one message are about that message; with several nobody can say.
    fn attach_faults(&mut self, start: usize, faults: Vec<Fault>) {
        if faults.is_empty() {
            return;
        }
        let items = self.reader.items.get_mut(start..).unwrap_or_default();
        let mut messages: Vec<_> = items
            .iter_mut()
            .filter_map(|item| match &mut item.payload {
                Payload::Message(message) => Some(message),
                _ => None,
            })
            .collect();
        if let [message] = messages.as_mut_slice() {
            message.errors.extend(faults);
        } else if let Some(raw) = self.value.raw("errors") {
            self.push(raw, "faults", (None, Payload::Faults(faults)));
        }
    }

    /// Keeps the members nothing has read as one item, so that something new of Meta's beside
    /// something known is not lost.
    fn keep_rest(&mut self, object: &Object<'_>, known: &[&str], errors_are_read: bool) {
        let errors: &[&str] = if errors_are_read { &["errors"] } else { &[] };
        if let Some(rest) = object.rest(&[known, errors].concat()) {
            self.push(&rest, "unknown", (None, Payload::Unknown));
        }
    }

    fn each(
        &mut self,
        list: &str,
        kind: &'static str,
        read: impl Fn(&Self, &Object<'_>) -> Reading,
    ) {
        for raw in self.value.list(list) {
            self.element(raw, kind, &read);
        }
    }

    fn element(
        &mut self,
        raw: &RawValue,
        kind: &'static str,
        read: impl FnOnce(&Self, &Object<'_>) -> Reading,
    ) {
        let reading = match Object::read(raw) {
            Some(object) => read(self, &object),
            None => (None, Payload::Unknown),
        };
        self.push(raw, kind, reading);
    }

    fn whole(&mut self, kind: &'static str, payload: Payload) {
        self.push(self.raw, kind, (None, payload));
    }

    fn push(&mut self, raw: &RawValue, kind: &'static str, (key, payload): Reading) {
        let too_deep = self.reader.deep && repair::depth(raw.get()) > MAX_ITEM_DEPTH;
        let key = key.unwrap_or_else(|| fallback_key(kind, &self.origin, raw));
        self.reader.items.push(Item {
            origin: self.origin.clone(),
            key,
            payload: if too_deep { Payload::Unknown } else { payload },
            raw: Raw::new(raw),
        });
    }

    /// The key of something with an id of Meta's, unique on one number (a message may be seen on
    /// two of our own numbers).
    fn key(&self, kind: &str, id: Option<&str>, more: &[&str]) -> Option<DedupeKey> {
        let mut parts = vec![self.number_part(), id?];
        parts.extend_from_slice(more);
        Some(DedupeKey::of(kind, &parts))
    }

    fn status_key(&self, kind: &str, object: &Object<'_>, status: &Status) -> Option<DedupeKey> {
        let name = object.text("status").unwrap_or_default();
        let time = object.text("timestamp").unwrap_or_default();
        let participant = status.participant.as_ref();
        let participant = participant.map_or("", |participant| participant.discriminator());
        self.key(
            kind,
            status.message_id.as_deref(),
            &[&name, participant, &time],
        )
    }

    fn number_part(&self) -> &str {
        let number = &self.origin.number;
        let best = number.phone_number_id.as_ref().or(number.display.as_ref());
        best.or(self.origin.waba_id.as_ref())
            .map_or("", String::as_str)
    }
}

/// The key of something without an id: what it says, where it says it, and when.
pub(super) fn fallback_key(kind: &str, origin: &Origin, raw: &RawValue) -> DedupeKey {
    let time = origin.entry_at.map(|at| at.timestamp().to_string());
    let number = &origin.number;
    DedupeKey::of(
        kind,
        &[
            origin.entry_id.as_deref().unwrap_or_default(),
            origin.field.as_deref().unwrap_or_default(),
            time.as_deref().unwrap_or_default(),
            number.phone_number_id.as_deref().unwrap_or_default(),
            &canonical(raw),
        ],
    )
}

/// The business number, wherever this field has it.
fn number(value: &Object<'_>) -> Number {
    let nested = ["metadata", "recipient", "phone_number_settings"];
    let found = nested.iter().find_map(|key| {
        let object = value.object(key)?;
        let number = Number {
            phone_number_id: object.id("phone_number_id"),
            display: object.id("display_phone_number"),
        };
        (number != Number::default()).then_some(number)
    });
    found.unwrap_or_else(|| Number {
        phone_number_id: value.id("phone_number_id"),
        display: value.id("display_phone_number"),
    })
}
