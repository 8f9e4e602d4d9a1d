//! What became of a message we sent.

use chrono::{DateTime, Utc};

use super::{contact::Contact, json::Object, pieces::Fault};

kept_private!(Participant);
kept_private!(Status, |status| status.kind.name());

/// One status of one message (in a group: for one participant).
#[derive(Clone, PartialEq)]
pub struct Status {
    /// The message's id. May be one we don't know yet: a status can overtake the answer to the send.
    pub message_id: Option<String>,
    /// Which status.
    pub kind: StatusKind,
    /// When Meta made the webhook, not when it happened on the phone.
    pub reported_at: Option<DateTime<Utc>>,
    /// The receiver's number, or the group.
    pub recipient_id: Option<String>,
    /// The receiver's business-scoped id.
    pub recipient_user_id: Option<String>,
    /// The receiver's id across linked portfolios.
    pub recipient_parent_user_id: Option<String>,
    /// `individual` (or absent), or `group`.
    pub recipient_type: Option<String>,
    /// In a group: for whom this status is.
    pub participant: Option<Participant>,
    /// What Meta bills it with.
    pub conversation: Option<Conversation>,
    /// What Meta bills.
    pub pricing: Option<Pricing>,
    /// What we sent along; see [`crate::CallbackKey`].
    pub callback_data: Option<String>,
    /// The receiver's key, if it was asked for.
    pub recipient_identity_key_hash: Option<String>,
    /// Why it failed.
    pub errors: Vec<Fault>,
    /// The receiver as the delivery describes them; never with `failed`.
    pub contact: Option<Contact>,
}

/// Which status. Order of arrival means nothing: an older one may come after a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StatusKind {
    /// On its way.
    Sent,
    /// On the phone. Skipped when the chat is open.
    Delivered,
    /// Seen; only from users with read receipts.
    Read,
    /// Heard, for voice notes.
    Played,
    /// Not delivered. Can follow `sent`.
    Failed,
    /// Deleted; old versions only.
    Deleted,
    /// A warning; old versions only.
    Warning,
    /// One this version does not know, or none.
    Other(Option<String>),
}

/// One member of a group.
#[derive(Clone, PartialEq, Eq)]
pub struct Participant {
    /// Their number.
    pub id: Option<String>,
    /// Their business-scoped id.
    pub user_id: Option<String>,
    /// Their id across linked portfolios.
    pub parent_user_id: Option<String>,
}

/// The conversation Meta bills with. Since webhook version 24 only for free entry points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id; before version 24 a different one per message.
    pub id: Option<String>,
    /// When it closes.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its category.
    pub origin_type: Option<String>,
}

/// How a message is billed. All texts are Meta's and open: rates and rules change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    /// To be retired by Meta; use `kind`.
    pub billable: Option<bool>,
    /// `PMP`, before July 2025 `CBP`.
    pub model: Option<String>,
    /// `regular`, `free_customer_service`, `free_entry_point`, …
    pub kind: Option<String>,
    /// `marketing`, `utility`, `service`, …
    pub category: Option<String>,
}

impl StatusKind {
    fn read(text: Option<String>) -> Self {
        match text.as_deref() {
            Some("sent") => Self::Sent,
            Some("delivered") => Self::Delivered,
            Some("read") => Self::Read,
            Some("played") => Self::Played,
            Some("failed") => Self::Failed,
            Some("deleted") => Self::Deleted,
            Some("warning") => Self::Warning,
            _ => Self::Other(text),
        }
    }

    /// The name in the API; `unknown` for others.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
            Self::Warning => "warning",
            Self::Other(_) => "unknown",
        }
    }
}

impl Status {
    pub(crate) fn read(object: &Object<'_>, contacts: &[Contact]) -> Self {
        let recipient_id = object.id("recipient_id");
        let recipient_user_id = object.id("recipient_user_id");
        let participant = Participant::read(object);
        let (phone, user) = match &participant {
            Some(one) => (one.id.as_deref(), one.user_id.as_deref()),
            None => (recipient_id.as_deref(), recipient_user_id.as_deref()),
        };
        let contact = Contact::matching(contacts, phone, user);
        let conversation = object.object("conversation");
        // Group statuses sometimes have the price inside the conversation.
        let pricing = object
            .object("pricing")
            .or_else(|| conversation.as_ref()?.object("pricing"));
        Self {
            message_id: object.id("id"),
            kind: StatusKind::read(object.id("status")),
            reported_at: object.time("timestamp"),
            recipient_parent_user_id: object.id("recipient_parent_user_id"),
            recipient_type: object.id("recipient_type"),
            conversation: conversation.as_ref().map(Conversation::read),
            pricing: pricing.as_ref().map(Pricing::read),
            callback_data: object.id("biz_opaque_callback_data"),
            recipient_identity_key_hash: object.id("recipient_identity_key_hash"),
            errors: Fault::list(object),
            recipient_id,
            recipient_user_id,
            participant,
            contact,
        }
    }
}

impl Participant {
    fn read(object: &Object<'_>) -> Option<Self> {
        let participant = Self {
            id: object
                .id("recipient_participant_id")
                // Three of Meta's examples have the words the other way round.
                .or_else(|| object.id("participant_recipient_id")),
            user_id: object.id("recipient_participant_user_id"),
            parent_user_id: object.id("recipient_participant_parent_user_id"),
        };
        let any = participant.id.is_some()
            || participant.user_id.is_some()
            || participant.parent_user_id.is_some();
        any.then_some(participant)
    }

    /// What tells this participant from the others of the group.
    pub(crate) fn discriminator(&self) -> &str {
        let best = self.id.as_ref().or(self.user_id.as_ref());
        best.or(self.parent_user_id.as_ref())
            .map_or("", String::as_str)
    }
}

impl Conversation {
    fn read(object: &Object<'_>) -> Self {
        Self {
            id: object.id("id"),
            expires_at: object.time("expiration_timestamp"),
            origin_type: object.object("origin").and_then(|origin| origin.id("type")),
        }
    }
}

impl Pricing {
    fn read(object: &Object<'_>) -> Self {
        Self {
            billable: object.flag("billable"),
            model: object.id("pricing_model"),
            kind: object.id("type"),
            category: object.id("category"),
        }
    }
}
