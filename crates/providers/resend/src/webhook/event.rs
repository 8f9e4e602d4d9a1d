//! The body of a delivery. Every field but the type may be absent or strange; new types and sub-types come without
//! notice, so nothing is a closed list.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::fields::{tags, text, texts, time};

/// What Resend tells about an e-mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When it happened.
    pub created_at: Option<DateTime<Utc>>,
    /// The id under which the e-mail was taken. Absent from events that are not about one.
    pub email_id: Option<String>,
    /// The recipients it happened to.
    pub to: Vec<String>,
    /// Why it came back, if it did.
    pub bounce: Option<Bounce>,
    /// Why Resend failed to send it, `reached_daily_quota`.
    pub failure: Option<String>,
    /// The tags it was sent with.
    pub tags: BTreeMap<String, String>,
}

/// What happened to an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// It is to be sent later.
    Scheduled,
    /// It was taken.
    Sent,
    /// The recipient's server has it.
    Delivered,
    /// The recipient's server does not take it for now.
    DeliveryDelayed,
    /// The recipient's server refused it for good.
    Bounced,
    /// The recipient calls it spam.
    Complained,
    /// Resend did not send it, because an earlier one came back or was called spam.
    Suppressed,
    /// Resend could not send it.
    Failed,
    /// It was opened.
    Opened,
    /// A link in it was followed.
    Clicked,
    /// Something else: the type as it came.
    Other(String),
}

/// Why an e-mail came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Bounce {
    /// Whether it is for good.
    pub kind: BounceKind,
    /// `General`, `NoEmail`, `MailboxFull` and others.
    pub sub_type: Option<String>,
    /// The words of the recipient's server. Not for logs: they quote addresses.
    pub message: Option<String>,
}

/// Whether an e-mail came back for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BounceKind {
    /// The address does not exist, or never takes our e-mail.
    Permanent,
    /// A full mailbox or the like.
    Transient,
    /// The server's answer said neither.
    Undetermined,
    /// Something this version does not know.
    Other(String),
}

/// Why no more e-mail should go to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeliverable {
    /// It does not exist.
    Bounced,
    /// Its owner calls our e-mail spam.
    Complained,
    /// Resend refuses to send there.
    Suppressed,
}

/// A body that is no event. Keep it and answer 200: Resend would repeat it for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not a JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// It does not say what happened.
    #[error("the body has no type")]
    NoType,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", &self.kind)
            .field("created_at", &self.created_at)
            .field("email_id", &self.email_id)
            .field("recipients", &self.to.len())
            .field("bounce", &self.bounce)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Bounce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounce")
            .field("kind", &self.kind)
            .field("sub_type", &self.sub_type)
            .finish_non_exhaustive()
    }
}

impl Event {
    /// Reads a body whose signature has been verified.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let body: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| Malformed::NotAnObject)?;
        let kind = EventKind::read(text(&body, "type").ok_or(Malformed::NoType)?);
        let nothing = Map::new();
        let data = body.get("data").and_then(Value::as_object);
        let data = data.unwrap_or(&nothing);
        let failure = data.get("failed").and_then(Value::as_object);
        Ok(Self {
            kind,
            // `data.created_at` is the e-mail's own time.
            created_at: time(&body, "created_at"),
            email_id: text(data, "email_id"),
            to: texts(data, "to"),
            bounce: data
                .get("bounce")
                .and_then(Value::as_object)
                .map(Bounce::read),
            failure: failure.and_then(|failure| text(failure, "reason")),
            tags: tags(data, "tags"),
        })
    }

    /// Whether no more e-mail should go to [`Event::to`], and why.
    pub fn undeliverable(&self) -> Option<Undeliverable> {
        match self.kind {
            EventKind::Bounced => {
                let bounce = self.bounce.as_ref()?;
                (bounce.kind == BounceKind::Permanent).then_some(Undeliverable::Bounced)
            }
            EventKind::Complained => Some(Undeliverable::Complained),
            EventKind::Suppressed => Some(Undeliverable::Suppressed),
            EventKind::Scheduled
            | EventKind::Sent
            | EventKind::Delivered
            | EventKind::DeliveryDelayed
            | EventKind::Failed
            | EventKind::Opened
            | EventKind::Clicked
            | EventKind::Other(_) => None,
        }
    }
}

impl EventKind {
    fn read(word: String) -> Self {
        match word.as_str() {
            "email.scheduled" => Self::Scheduled,
            "email.sent" => Self::Sent,
            "email.delivered" => Self::Delivered,
            "email.delivery_delayed" => Self::DeliveryDelayed,
            "email.bounced" => Self::Bounced,
            "email.complained" => Self::Complained,
            "email.suppressed" => Self::Suppressed,
            "email.failed" => Self::Failed,
            "email.opened" => Self::Opened,
            "email.clicked" => Self::Clicked,
            _ => Self::Other(word),
        }
    }
}

impl Bounce {
    fn read(object: &Map<String, Value>) -> Self {
        let kind = match object.get("type").and_then(Value::as_str) {
            Some("Permanent") => BounceKind::Permanent,
            Some("Transient") => BounceKind::Transient,
            Some("Undetermined") | None => BounceKind::Undetermined,
            Some(other) => BounceKind::Other(other.to_owned()),
        };
        Self {
            kind,
            sub_type: text(object, "subType"),
            message: text(object, "message"),
        }
    }
}
