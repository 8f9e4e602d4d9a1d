//! The fields whose value is one or several lists of items. Each function returns the members of
//! the value it has read.

use serde_json::value::RawValue;

use super::Change;
use crate::webhook::{
    coexistence::{
        ContactChange, HistoryMessage, HistoryProgress, StandbyPayload, read_echo,
        read_standby_echo,
    },
    contact::Contact,
    item::Payload,
    json::Object,
    message::Message,
    messaging_field::{Call, Preference, UserAction},
    pieces::Fault,
    status::Status,
};

type Known = &'static [&'static str];

impl Change<'_, '_> {
    pub(super) fn messages(&mut self) -> Known {
        self.each("messages", "message", |change, object| {
            let message = Message::read(object, &change.contacts);
            let key = change.key("message", message.id.as_deref(), &[]);
            (key, Payload::Message(Box::new(message)))
        });
        self.each("statuses", "status", |change, object| {
            let status = Status::read(object, &change.contacts);
            let key = change.status_key("status", object, &status);
            (key, Payload::Status(Box::new(status)))
        });
        self.each("user_actions", "user_action", |_, object| {
            (None, Payload::UserAction(UserAction::read(object)))
        });
        &["messages", "statuses", "user_actions"]
    }

    pub(super) fn echoes(&mut self) -> Known {
        self.each("message_echoes", "echo", |change, object| {
            let echo = read_echo(object, &change.contacts);
            let key = change.key("echo", echo.id.as_deref(), &[]);
            (key, Payload::Echo(Box::new(echo)))
        });
        &["message_echoes"]
    }

    pub(super) fn state_sync(&mut self) -> Known {
        self.each("state_sync", "contact_change", |_, object| {
            (None, Payload::ContactChange(ContactChange::read(object)))
        });
        &["state_sync"]
    }

    pub(super) fn user_preferences(&mut self) -> Known {
        self.each("user_preferences", "preference", |change, object| {
            let preference = Preference::read(object, &change.contacts);
            (None, Payload::Preference(preference))
        });
        &["user_preferences"]
    }

    pub(super) fn calls(&mut self) -> Known {
        const LISTS: Known = &["calls", "statuses"];
        for list in LISTS {
            self.each(list, "call", |change, object| {
                let call = Call::read(object, &change.contacts);
                let event = call.event.as_deref().unwrap_or_default();
                let time = object.text("timestamp").unwrap_or_default();
                let key = change.key("call", call.id.as_deref(), &[event, &time]);
                (key, Payload::Call(call))
            });
        }
        LISTS
    }

    /// One level deeper than `messages`, and each kind with a key of its own: the same message may
    /// also come as a normal one when the conversation changes hands.
    pub(super) fn standby(&mut self) -> Known {
        let value = self.value;
        let Some(inner) = value.object("standby") else {
            return &[];
        };
        let start = self.reader.items.len();
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
        // With no items at all the whole value is kept.
        if self.reader.items.len() > start {
            let lists = ["contacts", "messages", "message_echoes", "statuses"];
            self.keep_rest(&inner, &lists, false);
        }
        &["standby"]
    }

    pub(super) fn history(&mut self) -> Known {
        for raw in self.value.list("history") {
            match Object::read(raw) {
                Some(chunk) => self.history_chunk(raw, &chunk),
                None => self.push(raw, "unknown", (None, Payload::Unknown)),
            }
        }
        // The second delivery, which fills the placeholders of the first.
        for list in ["messages", "message_echoes"] {
            for message in self.value.list(list) {
                self.history_message(message, None);
            }
        }
        &["history", "messages", "message_echoes"]
    }

    fn history_chunk(&mut self, raw: &RawValue, chunk: &Object<'_>) {
        let progress = Payload::HistoryProgress(HistoryProgress::read(chunk));
        // The metadata, not the whole chunk: that may be megabytes.
        let head = chunk.raw("metadata").or_else(|| chunk.raw("errors"));
        self.push(head.unwrap_or(raw), "history_progress", (None, progress));
        if head.is_none() {
            // The item above has the rest.
            return;
        }
        for raw in chunk.list("threads") {
            let thread = Object::read(raw);
            let messages = thread.as_ref().map(|thread| thread.list("messages"));
            if let (Some(thread), Some(messages @ [_, ..])) = (&thread, messages.as_deref()) {
                for message in messages {
                    self.history_message(message, Some(thread));
                }
                self.keep_rest(thread, &["id", "context", "messages"], false);
            } else {
                self.push(raw, "unknown", (None, Payload::Unknown));
            }
        }
        let faults = Fault::list(chunk);
        self.keep_rest(chunk, &["metadata", "threads"], !faults.is_empty());
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
}
