//! What a message says.

mod interactive;
mod media;
mod shared_contact;
mod simple;

pub use interactive::{FlowReply, Interactive};
pub use media::digest;
pub use media::{Media, MediaKind};
pub use shared_contact::{SharedContact, SharedName, SharedPhone};
pub use simple::{Location, Order, OrderItem, Product, Reaction, System, SystemKind};

use super::json::Object;

kept_private!(Edit);
kept_private!(Content, |content| content.name());

/// The content of a message, by its `type`.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// Plain text. May be longer than what businesses may send.
    Text(String),
    /// An image, video, audio, document or sticker.
    Media(Media),
    /// A place.
    Location(Location),
    /// One or more address cards.
    Contacts(Vec<SharedContact>),
    /// A tap on a quick reply of a template.
    Button {
        /// What the template's sender chose.
        payload: Option<String>,
        /// The button's label.
        text: Option<String>,
    },
    /// A tap in an interactive message.
    Interactive(Interactive),
    /// A basket.
    Order(Order),
    /// A reaction to a message, or its removal.
    Reaction(Reaction),
    /// A change of the user's number or identity.
    System(System),
    /// The user changed a message.
    Edit(Edit),
    /// The user deleted a message for everyone.
    Revoke {
        /// The deleted message's id.
        original_message_id: Option<String>,
    },
    /// A message WhatsApp does not pass on: a poll, a view-once picture, …
    Unsupported {
        /// What it was, if Meta says so.
        kind: Option<String>,
    },
    /// In a history: the media follows in a later delivery with the same id.
    MediaPlaceholder,
    /// The chat was opened for the first time; no longer sent since March 2026.
    RequestWelcome,
    /// A type this version does not know, or one whose object is missing. The item's JSON has it.
    Unknown {
        /// The `type`.
        kind: Option<String>,
    },
}

/// An edit. It has an id of its own and may arrive before the message it changes.
#[derive(Clone, PartialEq)]
pub struct Edit {
    /// The changed message's id.
    pub original_message_id: Option<String>,
    /// The message as it is now; never another edit.
    pub content: Box<Content>,
}

impl Content {
    /// Reads the content of a message object.
    pub(crate) fn read(message: &Object<'_>) -> Self {
        let kind = message.id("type");
        let found = kind.as_deref().and_then(|kind| match kind {
            "edit" => message
                .object(kind)
                .map(|edit| Self::Edit(Edit::read(&edit))),
            _ => Self::read_flat(kind, message),
        });
        found.unwrap_or(Self::Unknown { kind })
    }

    /// Everything but an edit. An edit of an edit is not followed, so that the nesting of a body
    /// can't exhaust the stack.
    fn read_flat(kind: &str, message: &Object<'_>) -> Option<Self> {
        let object = || message.object(kind);
        Some(match kind {
            "text" => Self::Text(object()?.text("body")?),
            "image" | "video" | "audio" | "voice" | "document" | "sticker" => {
                Self::Media(Media::read(MediaKind::of(kind)?, &object()?))
            }
            "location" => Self::Location(Location::read(&object()?)),
            "contacts" => {
                let cards = message.objects(kind);
                Self::Contacts(cards.iter().map(SharedContact::read).collect())
            }
            "button" => {
                let button = object()?;
                Self::Button {
                    payload: button.text("payload"),
                    text: button.text("text"),
                }
            }
            "interactive" => Self::Interactive(Interactive::read(&object()?)),
            "order" => Self::Order(Order::read(&object()?)),
            "reaction" => Self::Reaction(Reaction::read(&object()?)),
            "system" => Self::System(System::read(&object()?)),
            "revoke" => Self::Revoke {
                original_message_id: object()?.id("original_message_id"),
            },
            "unsupported" => Self::Unsupported {
                kind: object().and_then(|unsupported| unsupported.id("type")),
            },
            "media_placeholder" => Self::MediaPlaceholder,
            "request_welcome" => Self::RequestWelcome,
            _ => return None,
        })
    }

    /// A stable name for metrics and logs; of an unknown type only that it is unknown.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Media(media) => media.kind.name(),
            Self::Location(_) => "location",
            Self::Contacts(_) => "contacts",
            Self::Button { .. } => "button",
            Self::Interactive(interactive) => interactive.name(),
            Self::Order(_) => "order",
            Self::Reaction(_) => "reaction",
            Self::System(_) => "system",
            Self::Edit(_) => "edit",
            Self::Revoke { .. } => "revoke",
            Self::Unsupported { .. } => "unsupported",
            Self::MediaPlaceholder => "media_placeholder",
            Self::RequestWelcome => "request_welcome",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl Edit {
    fn read(edit: &Object<'_>) -> Self {
        let message = edit.object("message");
        let kind = message.as_ref().and_then(|message| message.id("type"));
        let content = match (&message, &kind) {
            (Some(message), Some(kind)) => Content::read_flat(kind, message),
            _ => None,
        };
        Self {
            original_message_id: edit.id("original_message_id"),
            content: Box::new(content.unwrap_or(Content::Unknown { kind })),
        }
    }
}
