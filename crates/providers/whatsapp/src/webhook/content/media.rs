//! Media: named by an id that lives 7 days. Type, name and address are claims of the sender.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::webhook::json::Object;

kept_private!(Media, |media| media.kind.name());

/// Which kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// `image`
    Image,
    /// `video`
    Video,
    /// `audio`, recorded voice notes included
    Audio,
    /// `document`
    Document,
    /// `sticker`
    Sticker,
}

impl MediaKind {
    pub(crate) fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" | "voice" => Self::Audio,
            "document" => Self::Document,
            "sticker" => Self::Sticker,
            _ => return None,
        })
    }

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// One piece of media.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// Which kind.
    pub kind: MediaKind,
    /// Ask for a download address with this id, within 7 days.
    pub id: Option<String>,
    /// As claimed; may carry parameters (`audio/ogg; codecs=opus`).
    pub mime_type: Option<String>,
    /// As given; see [`Media::digest`].
    pub sha256: Option<String>,
    /// Text under the media.
    pub caption: Option<String>,
    /// A document's name: chosen by the user, sanitise before use.
    pub filename: Option<String>,
    /// A ready download address that dies after 5 minutes. Send the token only to allowed hosts.
    pub url: Option<String>,
    /// A recorded voice note.
    pub voice: bool,
    /// An animated sticker.
    pub animated: bool,
}

impl Media {
    pub(crate) fn read(kind: MediaKind, object: &Object<'_>) -> Self {
        Self {
            kind,
            id: object.id("id"),
            mime_type: object.id("mime_type"),
            sha256: object.id("sha256"),
            caption: object.text("caption"),
            filename: object.id("filename"),
            url: object.id("url"),
            voice: object.flag("voice").unwrap_or(false),
            animated: object.flag("animated").unwrap_or(false),
        }
    }

    /// The SHA-256 of the content. Meta writes it as base64 in messages and as hex elsewhere.
    pub fn digest(&self) -> Option<[u8; 32]> {
        digest(self.sha256.as_deref()?)
    }
}

/// Reads a SHA-256 in either of Meta's spellings: base64 in messages, hex elsewhere. `None` for anything else.
pub fn digest(text: &str) -> Option<[u8; 32]> {
    let bytes = match text.len() {
        64 => hex::decode(text).ok()?,
        44 => STANDARD.decode(text).ok()?,
        _ => return None,
    };
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_base64_and_from_hex() {
        let base64 = "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=";
        let bytes = digest(base64).expect("base64");
        assert_eq!(digest(&hex::encode(bytes)), Some(bytes));
        assert_eq!(digest("a1b2c3d4e5f6..."), None);
    }
}
