//! A message from a WhatsApp user.

use chrono::{DateTime, Utc};

use super::{
    contact::Contact,
    content::{Content, Product},
    json::Object,
    pieces::Fault,
};

kept_private!(Context, Referral, Identity);
kept_private!(Message, |message| message.content.name());

/// A message, from `messages[]` of several fields.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// The message's id. Opaque; unique per business number, not globally.
    pub id: Option<String>,
    /// The sender's number in digits; absent for users who hide it.
    pub from: Option<String>,
    /// The sender's business-scoped id.
    pub from_user_id: Option<String>,
    /// The sender's id across linked portfolios.
    pub from_parent_user_id: Option<String>,
    /// In echoes and histories: the receiver's number.
    pub to: Option<String>,
    /// In echoes: the receiver's business-scoped id.
    pub to_user_id: Option<String>,
    /// In echoes: the receiver's id across linked portfolios.
    pub to_parent_user_id: Option<String>,
    /// The group it was written in.
    pub group_id: Option<String>,
    /// When it was sent, in whole seconds.
    pub sent_at: Option<DateTime<Utc>>,
    /// What it says.
    pub content: Content,
    /// What it answers.
    pub context: Option<Context>,
    /// The advertisement it came from.
    pub referral: Option<Referral>,
    /// The sender's key, with a change of identity.
    pub identity: Option<Identity>,
    /// Why it is unsupported or incomplete.
    pub errors: Vec<Fault>,
    /// The sender as the delivery describes them.
    pub contact: Option<Contact>,
}

/// What a message answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Context {
    /// The answered message's id; not always a known one.
    pub message_id: Option<String>,
    /// Who wrote the answered message.
    pub from: Option<String>,
    /// The business-scoped id of who wrote it.
    pub from_user_id: Option<String>,
    /// Forwarded, up to five times.
    pub forwarded: bool,
    /// Forwarded more than five times.
    pub frequently_forwarded: bool,
    /// The product the user asks about.
    pub referred_product: Option<Product>,
}

/// The click-to-WhatsApp advertisement a conversation began with. Every part is optional.
#[derive(Clone, PartialEq, Eq)]
pub struct Referral {
    /// The advertisement's or post's address.
    pub source_url: Option<String>,
    /// Its id.
    pub source_id: Option<String>,
    /// `ad` or `post`.
    pub source_type: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// `image` or `video`.
    pub media_type: Option<String>,
    /// Its picture.
    pub image_url: Option<String>,
    /// Its video.
    pub video_url: Option<String>,
    /// The video's preview picture.
    pub thumbnail_url: Option<String>,
    /// The click's id, for conversion reports; absent for advertisements in a WhatsApp status.
    pub ctwa_clid: Option<String>,
    /// The greeting the user was shown.
    pub welcome_message: Option<String>,
}

/// The user's key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whether we have confirmed it.
    pub acknowledged: Option<bool>,
    /// Since when it is used.
    pub created_at: Option<DateTime<Utc>>,
    /// Its hash.
    pub hash: Option<String>,
}

impl Message {
    pub(crate) fn read(object: &Object<'_>, contacts: &[Contact]) -> Self {
        let from = object.id("from");
        let from_user_id = object.id("from_user_id");
        let contact = Contact::matching(contacts, from.as_deref(), from_user_id.as_deref());
        Self {
            id: object.id("id"),
            from,
            from_user_id,
            from_parent_user_id: object.id("from_parent_user_id"),
            to: object.id("to"),
            to_user_id: object.id("to_user_id"),
            to_parent_user_id: object.id("to_parent_user_id"),
            group_id: object.id("group_id"),
            sent_at: object.time("timestamp"),
            content: Content::read(object),
            context: object
                .object("context")
                .map(|context| Context::read(&context)),
            referral: object
                .object("referral")
                .map(|referral| Referral::read(&referral)),
            identity: object.object("identity").map(|identity| Identity {
                acknowledged: identity.flag("acknowledged"),
                created_at: identity.time("created_timestamp"),
                hash: identity.id("hash"),
            }),
            errors: Fault::list(object),
            contact,
        }
    }
}

impl Context {
    fn read(object: &Object<'_>) -> Self {
        Self {
            message_id: object.id("id"),
            from: object.id("from"),
            from_user_id: object.id("from_user_id"),
            forwarded: object.flag("forwarded").unwrap_or(false),
            frequently_forwarded: object.flag("frequently_forwarded").unwrap_or(false),
            referred_product: object
                .object("referred_product")
                .map(|product| Product::read(&product)),
        }
    }
}

impl Referral {
    fn read(object: &Object<'_>) -> Self {
        Self {
            source_url: object.id("source_url"),
            source_id: object.id("source_id"),
            source_type: object.id("source_type"),
            headline: object.id("headline"),
            body: object.id("body"),
            media_type: object.id("media_type"),
            image_url: object.id("image_url"),
            video_url: object.id("video_url"),
            thumbnail_url: object.id("thumbnail_url"),
            ctwa_clid: object.id("ctwa_clid"),
            welcome_message: object
                .object("welcome_message")
                .and_then(|welcome| welcome.id("text")),
        }
    }
}
