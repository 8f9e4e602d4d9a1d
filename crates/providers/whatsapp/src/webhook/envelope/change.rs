//! One change: the value of one field of one entry.

use serde_json::value::RawValue;

use super::{MAX_ITEM_DEPTH, Reader};
use crate::webhook::{
    channel_field::ChannelField,
    coexistence::{
        ContactChange, Handover, HistoryMessage, HistoryProgress, StandbyPayload, read_echo,
        read_standby_echo,
    },
    contact::Contact,
    dedupe::{DedupeKey, canonical},
    item::{Item, Number, Origin, Payload},
    json::{Object, Raw},
    message::Message,
    messaging_field::{Call, Preference, UserAction},
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
        let before = self.reader.items.len();
        match field {
            "messages" => self.messages(),
            "standby" => self.standby(),
            "history" => self.history(),
            "smb_message_echoes" | "message_echoes" => self.echoes(),
            "smb_app_state_sync" => self.each("state_sync", "contact_change", |_, object| {
                (None, Payload::ContactChange(ContactChange::read(object)))
            }),
            "user_preferences" => self.each("user_preferences", "preference", |change, object| {
                let preference = Preference::read(object, &change.contacts);
                (None, Payload::Preference(preference))
            }),
            "calls" => self.calls(),
            "messaging_handovers" => {
                let payload = Payload::Handover(Handover::read(self.value));
                self.whole("handover", payload);
            }
            _ => {
                let payload = Payload::ChannelField(ChannelField::read(field, self.value));
                self.whole("field", payload);
            }
        }
        if self.reader.items.len() == before {
            let faults = Fault::list(self.value);
            if faults.is_empty() {
                self.whole("unknown", Payload::Unknown);
            } else {
                self.whole("faults", Payload::Faults(faults));
            }
        }
    }

    fn messages(&mut self) {
        let start = self.reader.items.len();
        self.each("messages", "message", |change, object| {
            let message = Message::read(object, &change.contacts);
            let key = change.key("message", message.id.as_deref(), &[]);
            (key, Payload::Message(Box::new(message)))
        });
        let end = self.reader.items.len();
        self.each("statuses", "status", |change, object| {
            let status = Status::read(object, &change.contacts);
            let key = change.status_key("status", object, &status);
            (key, Payload::Status(Box::new(status)))
        });
        self.each("user_actions", "user_action", |_, object| {
            (None, Payload::UserAction(UserAction::read(object)))
        });
        self.attach_faults(start, end);
    }

    /// Errors of a value with one message are about that message; with several nobody can say.
    fn attach_faults(&mut self, start: usize, end: usize) {
        let faults = Fault::list(self.value);
        if faults.is_empty() || self.reader.items.len() == start {
            return;
        }
        if end - start == 1
            && let Some(item) = self.reader.items.get_mut(start)
            && let Payload::Message(message) = &mut item.payload
        {
            message.errors.extend(faults);
        } else if let Some(raw) = self.value.raw("errors") {
            self.push(raw, "faults", (None, Payload::Faults(faults)));
        }
    }

    fn echoes(&mut self) {
        self.each("message_echoes", "echo", |change, object| {
            let echo = read_echo(object, &change.contacts);
            let key = change.key("echo", echo.id.as_deref(), &[]);
            (key, Payload::Echo(Box::new(echo)))
        });
    }

    fn calls(&mut self) {
        for list in ["calls", "statuses"] {
            self.each(list, "call", |change, object| {
                let call = Call::read(object, &change.contacts);
                let event = call.event.as_deref().unwrap_or_default();
                let time = object.text("timestamp").unwrap_or_default();
                let key = change.key("call", call.id.as_deref(), &[event, &time]);
                (key, Payload::Call(call))
            });
        }
    }

    /// One level deeper than `messages`, and each kind with a key of its own: the same message may
    /// also come as a normal one when the conversation changes hands.
    fn standby(&mut self) {
        let value = self.value;
        let Some(inner) = value.object("standby") else {
            return;
        };
        let contacts = inner.objects("contacts");
        self.contacts.extend(contacts.iter().map(Contact::read));
        for raw in inner.list("messages") {
            self.element(raw, "standby_message", |change, object| {
                let message = Message::read(object, &change.contacts);
                let key = change.key("standby_message", message.id.as_deref(), &[]);
                let payload = StandbyPayload::Message(Box::new(message));
                (key, Payload::Standby(payload))
            });
        }
        for raw in inner.list("message_echoes") {
            self.element(raw, "standby_echo", |change, object| {
                let echo = read_standby_echo(object, &change.contacts);
                let key = change.key("standby_echo", echo.id.as_deref(), &[]);
                (key, Payload::Standby(StandbyPayload::Echo(Box::new(echo))))
            });
        }
        for raw in inner.list("statuses") {
            self.element(raw, "standby_status", |change, object| {
                let status = Status::read(object, &change.contacts);
                let key = change.status_key("standby_status", object, &status);
                let payload = StandbyPayload::Status(Box::new(status));
                (key, Payload::Standby(payload))
            });
        }
    }

    fn history(&mut self) {
        let value = self.value;
        for raw in value.list("history") {
            let Some(chunk) = Object::read(raw) else {
                self.push(raw, "unknown", (None, Payload::Unknown));
                continue;
            };
            let progress = Payload::HistoryProgress(HistoryProgress::read(&chunk));
            // The metadata, not the whole chunk: that may be megabytes.
            let head = chunk.raw("metadata").or_else(|| chunk.raw("errors"));
            self.push(head.unwrap_or(raw), "history_progress", (None, progress));
            for thread in chunk.objects("threads") {
                for message in thread.list("messages") {
                    self.history_message(message, Some(&thread));
                }
            }
        }
        // The second delivery, which fills the placeholders of the first.
        for list in ["messages", "message_echoes"] {
            for message in value.list(list) {
                self.history_message(message, None);
            }
        }
    }

    fn history_message(&mut self, raw: &RawValue, thread: Option<&Object<'_>>) {
        self.element(raw, "history", |change, object| {
            let own = change.origin.number.display.as_deref();
            let message = HistoryMessage::read(object, thread, &change.contacts, own);
            // The type keeps the filled message apart from its placeholder.
            let kind = object.text("type").unwrap_or_default();
            let key = change.key("history", message.message.id.as_deref(), &[&kind]);
            (key, Payload::HistoryMessage(Box::new(message)))
        });
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
