//! A number that people, other partners or Meta's own agent use beside us.

use chrono::{DateTime, Utc};

use super::{contact::Contact, json::Object, message::Message, pieces::Fault, status::Status};
use crate::phone::digits;

kept_private!(ContactChange, Handover);
kept_private!(HistoryMessage, |history| history.message.content.name());

/// A message that somebody else sent for the business. `contact` is the receiver.
pub type Echo = Message;

/// Reads an echo of the WhatsApp Business app.
pub(crate) fn read_echo(object: &Object<'_>, contacts: &[Contact]) -> Echo {
    let mut echo = Message::read(object, &[]);
    echo.contact = Contact::matching(contacts, echo.to.as_deref(), echo.to_user_id.as_deref());
    echo
}

/// Reads an echo under `standby`: the body of the send call wrapped with its id and time.
pub(crate) fn read_standby_echo(object: &Object<'_>, contacts: &[Contact]) -> Echo {
    let Some(sent) = object.object("message") else {
        return read_echo(object, contacts);
    };
    let mut echo = read_echo(&sent, contacts);
    echo.id = object.id("id");
    echo.sent_at = object.time("timestamp");
    echo.to_user_id = echo.to_user_id.or_else(|| sent.id("recipient"));
    if let (Some(context), Some(sent)) = (&mut echo.context, sent.object("context")) {
        // The send call has another name for it.
        let answered = sent.id("message_id");
        context.message_id = context.message_id.take().or(answered);
    }
    echo
}

/// What arrives while another party owns the conversation. Never reply to it automatically.
#[derive(Debug, Clone, PartialEq)]
pub enum StandbyPayload {
    /// The user wrote.
    Message(Box<Message>),
    /// The owner wrote.
    Echo(Box<Echo>),
    /// What became of something the owner wrote.
    Status(Box<Status>),
}

/// One message of the past, sent after a number was connected that people also use by hand.
#[derive(Clone, PartialEq)]
pub struct HistoryMessage {
    /// The user of the thread: number or business-scoped id.
    pub thread_id: Option<String>,
    /// The user as the thread describes them.
    pub thread_contact: Option<Contact>,
    /// The message. A `media_placeholder` is filled by a later one with the same id.
    pub message: Message,
    /// What had become of it: `DELIVERED`, `READ`, …
    pub status: Option<String>,
    /// Whether the business wrote it; `None` if that can't be told.
    pub outgoing: Option<bool>,
}

/// How far the transfer of the past is, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryProgress {
    /// 0: the last day; 1: up to 90 days; 2: up to 180 days. Phases without messages send nothing.
    pub phase: Option<i64>,
    /// The place of this piece in its phase.
    pub chunk_order: Option<i64>,
    /// Percent; 100 is the end.
    pub progress: Option<i64>,
    /// Set if the business does not share its history (2593109).
    pub errors: Vec<Fault>,
}

impl HistoryProgress {
    pub(crate) fn read(chunk: &Object<'_>) -> Self {
        let metadata = chunk.object("metadata");
        let of_metadata = |key| metadata.as_ref().and_then(|metadata| metadata.int(key));
        Self {
            phase: of_metadata("phase"),
            chunk_order: of_metadata("chunk_order"),
            progress: of_metadata("progress"),
            errors: Fault::list(chunk),
        }
    }
}

impl HistoryMessage {
    pub(crate) fn read(
        object: &Object<'_>,
        thread: Option<&Object<'_>>,
        contacts: &[Contact],
        display_number: Option<&str>,
    ) -> Self {
        let mut message = Message::read(object, contacts);
        if message.contact.is_none() {
            let (to, user) = (message.to.as_deref(), message.to_user_id.as_deref());
            message.contact = Contact::matching(contacts, to, user);
        }
        let outgoing = match (&message.from, display_number) {
            (Some(from), Some(own)) => Some(digits(from) == digits(own)),
            _ => None,
        };
        Self {
            thread_id: thread.and_then(|thread| thread.id("id")),
            thread_contact: thread.and_then(|thread| {
                let context = thread.object("context")?;
                let mut contact = Contact::read(&context);
                contact.username = contact.username.or_else(|| context.id("username"));
                Some(contact)
            }),
            message,
            status: object
                .object("history_context")
                .and_then(|context| context.id("status")),
            outgoing,
        }
    }
}

/// A change in the address book of the WhatsApp Business app.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactChange {
    /// `add` or `remove`; an edit is an `add`.
    pub action: Option<String>,
    /// The contact's number.
    pub phone_number: Option<String>,
    /// The whole name.
    pub full_name: Option<String>,
    /// The given name.
    pub first_name: Option<String>,
    /// When.
    pub changed_at: Option<DateTime<Utc>>,
}

impl ContactChange {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let contact = object.object("contact");
        let of_contact = |key| contact.as_ref().and_then(|contact| contact.id(key));
        Self {
            action: object.id("action"),
            phone_number: of_contact("phone_number"),
            full_name: of_contact("full_name"),
            first_name: of_contact("first_name"),
            changed_at: object
                .object("metadata")
                .and_then(|metadata| metadata.time("timestamp")),
        }
    }
}

/// The conversation with a user changed hands.
#[derive(Clone, PartialEq, Eq)]
pub struct Handover {
    /// `control_passed` or `control_taken`.
    pub kind: Option<String>,
    /// The user's number.
    pub user_phone: Option<String>,
    /// The user's business-scoped id.
    pub user_id: Option<String>,
    /// Who had it.
    pub previous_owner: Option<String>,
    /// Who has it now.
    pub new_owner: Option<String>,
    /// When.
    pub happened_at: Option<DateTime<Utc>>,
}

impl Handover {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let kind = object.id("type");
        let detail = kind.as_deref().and_then(|kind| object.object(kind));
        let of_detail = |key| detail.as_ref().and_then(|detail| detail.id(key));
        let sender = object.object("sender");
        let of_sender = |key| sender.as_ref().and_then(|sender| sender.id(key));
        Self {
            user_phone: of_sender("phone_number"),
            user_id: of_sender("user_id"),
            previous_owner: of_detail("previous_owner_role"),
            new_owner: of_detail("new_owner_role"),
            happened_at: object.time("timestamp"),
            kind,
        }
    }
}
