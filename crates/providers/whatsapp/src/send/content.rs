//! What a message says.

use serde::{Deserialize, Deserializer, Serialize};

use super::{card::ContactCard, interactive::Interactive, limits::Check, template::Template};

kept_private!(Text, Source, Media, Location, Reaction);
kept_private!(Content, |content| content.kind());

/// What a message says. Serialises to `"type": …` and the object of that name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: Text,
    },
    /// A picture: JPEG or PNG up to 5 MB.
    Image {
        /// The picture.
        image: Media,
    },
    /// A video: MP4 or 3GPP up to 16 MB.
    Video {
        /// The video.
        video: Media,
    },
    /// Sound up to 16 MB.
    Audio {
        /// The sound.
        audio: Media,
    },
    /// A document up to 100 MB.
    Document {
        /// The document.
        document: Media,
    },
    /// A sticker: WebP, 100 KB still or 500 KB animated.
    Sticker {
        /// The sticker.
        sticker: Media,
    },
    /// A place.
    Location {
        /// The place.
        location: Location,
    },
    /// Address cards.
    Contacts {
        /// The cards, at most 5.
        contacts: Vec<ContactCard>,
    },
    /// A reaction, or with an empty emoji its removal.
    Reaction {
        /// The reaction.
        reaction: Reaction,
    },
    /// Buttons, a list, a link button, …
    Interactive {
        /// The message.
        interactive: Box<Interactive>,
    },
    /// A template: the only content outside the 24-hour window.
    Template {
        /// The template and its parameters.
        template: Template,
    },
}

/// Text of up to 4096 characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    pub body: String,
    /// Show a preview of the first link.
    #[serde(default)]
    pub preview_url: bool,
}

/// Where media comes from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Uploaded before; lives 30 days.
    Id(String),
    /// Fetched by Meta. A bad link shows up later, as a failed status.
    Link(String),
}

/// Media of any kind. Which of the parts may be set depends on the kind.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
    /// Text under it: images, videos and documents, up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Documents only; its ending decides what the user sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Audio only: show it as a voice note. Must be Ogg with Opus, mono.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<bool>,
}

/// A place. Degrees are texts, as in Meta's examples.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north, `37.44`.
    #[serde(deserialize_with = "degrees")]
    pub latitude: String,
    /// Degrees east.
    #[serde(deserialize_with = "degrees")]
    pub longitude: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Some of Meta's examples have numbers.
fn degrees<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Degrees {
        Text(String),
        Number(f64),
    }
    Ok(match Degrees::deserialize(deserializer)? {
        Degrees::Text(text) => text,
        Degrees::Number(number) => number.to_string(),
    })
}

/// A reaction to a message of the last 30 days.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message reacted to.
    pub message_id: String,
    /// One emoji; empty takes the reaction back.
    pub emoji: String,
}

impl Content {
    /// Text, with a preview of its first link if it has one.
    pub fn text(body: impl Into<String>) -> Self {
        let body = body.into();
        let preview_url = body.contains("https://") || body.contains("http://");
        Self::Text {
            text: Text { body, preview_url },
        }
    }

    /// The `type` in the API.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::Video { .. } => "video",
            Self::Audio { .. } => "audio",
            Self::Document { .. } => "document",
            Self::Sticker { .. } => "sticker",
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Interactive { .. } => "interactive",
            Self::Template { .. } => "template",
        }
    }

    pub(crate) fn check(&self, check: &mut Check) {
        check.field(self.kind(), |check| match self {
            Self::Text { text } => check.text("body", &text.body, 4096),
            Self::Image { image: media } | Self::Video { video: media } => {
                media.check(check, Parts::CAPTION);
            }
            Self::Document { document } => document.check(check, Parts::CAPTION_AND_FILENAME),
            Self::Audio { audio } => audio.check(check, Parts::VOICE),
            Self::Sticker { sticker } => sticker.check(check, Parts::NONE),
            Self::Location { location } => location.check(check),
            Self::Reaction { reaction } => {
                check.text("message_id", &reaction.message_id, 512);
                // Families of emoji are long, words are not emoji.
                check.field("emoji", |check| check.max(&reaction.emoji, 64));
            }
            Self::Interactive { interactive } => interactive.check(check),
            Self::Template { template } => template.check(check),
            // The list is the object itself, so its elements are named below.
            Self::Contacts { .. } => {}
        });
        if let Self::Contacts { contacts } = self {
            check.count("contacts", contacts, 1, 5);
            check.each("contacts", contacts, |check, card| card.check(check));
        }
    }
}

/// Which parts a kind of media may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    caption: bool,
    filename: bool,
    voice: bool,
}

impl Parts {
    pub(crate) const NONE: Self = Self {
        caption: false,
        filename: false,
        voice: false,
    };
    const CAPTION: Self = Self {
        caption: true,
        ..Self::NONE
    };
    pub(crate) const FILENAME: Self = Self {
        filename: true,
        ..Self::NONE
    };
    const CAPTION_AND_FILENAME: Self = Self {
        caption: true,
        ..Self::FILENAME
    };
    const VOICE: Self = Self {
        voice: true,
        ..Self::NONE
    };
}

impl Media {
    /// Media uploaded before.
    pub fn id(id: impl Into<String>) -> Self {
        Self::of(Source::Id(id.into()))
    }

    /// Media that Meta fetches.
    pub fn link(link: impl Into<String>) -> Self {
        Self::of(Source::Link(link.into()))
    }

    const fn of(source: Source) -> Self {
        Self {
            source,
            caption: None,
            filename: None,
            voice: None,
        }
    }

    pub(crate) fn check(&self, check: &mut Check, may_have: Parts) {
        match &self.source {
            Source::Id(id) => check.text("id", id, 128),
            Source::Link(link) => check.web_address("link", link),
        }
        check.optional("caption", self.caption.as_ref(), 1024);
        check.optional("filename", self.filename.as_ref(), 240);
        let (caption, filename) = (self.caption.is_some(), self.filename.is_some());
        check.absent(
            "caption",
            caption && !may_have.caption,
            "is not possible here",
        );
        check.absent(
            "filename",
            filename && !may_have.filename,
            "is for documents only",
        );
        check.absent(
            "voice",
            self.voice.is_some() && !may_have.voice,
            "is for audio only",
        );
    }
}

impl Location {
    pub(crate) fn check(&self, check: &mut Check) {
        let mut degrees = |name: &str, text: &str, most: f64| {
            check.field(name, |check| {
                let number: Option<f64> = text.parse().ok();
                if !number.is_some_and(|number| number.abs() <= most) {
                    check.wrong(format!("must be degrees from -{most} to {most}"));
                }
            });
        };
        degrees("latitude", &self.latitude, 90.0);
        degrees("longitude", &self.longitude, 180.0);
        check.optional("name", self.name.as_ref(), 1000);
        check.optional("address", self.address.as_ref(), 1000);
    }
}
