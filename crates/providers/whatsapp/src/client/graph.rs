//! Reading the Graph API's answers, as leniently as its webhooks.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use outbound::Response;
use serde_json::value::RawValue;

use super::rejection::Rejection;
use crate::webhook::json::Object;

kept_private!(Accepted, Body);

/// The body of an answer that reports no error.
pub(crate) struct Body(Bytes);

/// What an answer says.
#[derive(Debug)]
pub(crate) enum Judgement {
    Succeeded(Body),
    Refused(Box<Rejection>),
}

/// Judges an answer by its error object; only without one by its HTTP status.
pub(crate) fn judge(response: &Response, now: DateTime<Utc>) -> Judgement {
    let body = Body(response.body().clone());
    let error = body.object().and_then(|object| object.object("error"));
    if let Some(error) = error {
        Judgement::Refused(Rejection::read(&error, response, now))
    } else if response.status().is_success() {
        Judgement::Succeeded(body)
    } else {
        Judgement::Refused(Rejection::from_status(response, now))
    }
}

impl Body {
    pub(crate) fn object(&self) -> Option<Object<'_>> {
        let raw: &RawValue = serde_json::from_slice(&self.0).ok()?;
        Object::read(raw)
    }
}

/// A message that WhatsApp has accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The message's id: statuses come under it.
    pub wamid: String,
    /// The id WhatsApp has for the number; may differ from the number dialled. Absent for messages
    /// to business-scoped ids.
    pub wa_id: Option<String>,
    /// The recipient's business-scoped id, if the message was sent to one.
    pub user_id: Option<String>,
    /// What WhatsApp does with it; absent for most content.
    pub message_status: Option<MessageStatus>,
}

/// What WhatsApp does with an accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageStatus {
    /// Sends it.
    Accepted,
    /// Holds it back until the template's quality is known, then sends or fails it (132015).
    HeldForQualityAssessment,
    /// The template is paused.
    Paused,
    /// Something this version does not know.
    Other(String),
}

impl Accepted {
    /// `None` if the message has no id: then nobody knows whether there is one.
    pub(crate) fn read(body: &Body) -> Option<Self> {
        let object = body.object()?;
        let messages = object.objects("messages");
        let message = messages.first()?;
        let contacts = object.objects("contacts");
        let of_contact = |key| contacts.first().and_then(|contact| contact.id(key));
        Some(Self {
            wamid: message.id("id")?,
            wa_id: of_contact("wa_id"),
            user_id: of_contact("user_id"),
            message_status: message.id("message_status").map(MessageStatus::read),
        })
    }
}

impl MessageStatus {
    fn read(text: String) -> Self {
        match text.as_str() {
            "accepted" => Self::Accepted,
            "held_for_quality_assessment" => Self::HeldForQualityAssessment,
            "paused" => Self::Paused,
            _ => Self::Other(text),
        }
    }
}
