//! Messages to tap on. Limits by Meta's interactive message pages.

mod check;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::Media;

kept_private!(
    Header,
    Label,
    Reply,
    List,
    ListRow,
    ListSection,
    CtaUrlParameters,
    FlowParameters
);

/// A message to tap on, by `interactive.type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Interactive {
    /// Up to three reply buttons.
    Button(Frame<ReplyButtons>),
    /// A list to choose one row from.
    List(Frame<List>),
    /// One button that opens a web address.
    CtaUrl(Frame<CtaUrl>),
    /// Asks for the user's place.
    LocationRequestMessage(Frame<LocationRequest>),
    /// Opens a flow.
    Flow(Frame<Flow>),
    /// Asks for the user's phone number.
    RequestContactInfo(Frame<RequestContactInfo>),
}

/// What surrounds the buttons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame<A> {
    /// Above the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The text.
    pub body: Label,
    /// Below the text, up to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<Label>,
    /// The buttons.
    pub action: A,
}

/// A text in an object of its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The text.
    pub text: String,
}

/// What stands above the text.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Header {
    /// Up to 60 characters, without formatting.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// The picture.
        image: Media,
    },
    /// A video.
    Video {
        /// The video.
        video: Media,
    },
    /// A document.
    Document {
        /// The document.
        document: Media,
    },
}

/// One to three buttons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyButtons {
    /// The buttons.
    pub buttons: Vec<ReplyButton>,
}

/// A button that answers for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyButton {
    #[serde(rename = "type")]
    kind: ReplyKind,
    /// What it answers.
    pub reply: Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReplyKind {
    Reply,
}

/// What a button answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Comes back when it is tapped; up to 256 characters.
    pub id: String,
    /// Its label; up to 20 characters.
    pub title: String,
}

impl ReplyButton {
    /// A button.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            kind: ReplyKind::Reply,
            reply: Reply {
                id: id.into(),
                title: title.into(),
            },
        }
    }
}

/// A list of up to 10 rows in up to 10 sections.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The label of the button that opens it; up to 20 characters.
    pub button: String,
    /// The sections.
    pub sections: Vec<ListSection>,
}

/// A section of a list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSection {
    /// Needed if there is more than one; up to 24 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The rows.
    pub rows: Vec<ListRow>,
}

/// A row of a list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    /// Comes back when it is chosen; up to 200 characters.
    pub id: String,
    /// Up to 24 characters.
    pub title: String,
    /// Up to 72 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Declares an action whose `name` is fixed, with or without parameters.
macro_rules! named_action {
    ($(#[$doc:meta])* $action:ident, $name:ident = $wire:literal $(, $parameters:ident)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $action {
            name: $name,
            $(
                /// Its parameters.
                pub parameters: $parameters,
            )?
        }

        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        enum $name {
            #[default]
            #[serde(rename = $wire)]
            Name,
        }
    };
}

named_action!(
    /// Opens a web address.
    CtaUrl, CtaUrlName = "cta_url", CtaUrlParameters
);
named_action!(
    /// Asks for the user's place.
    LocationRequest, LocationRequestName = "send_location"
);
named_action!(
    /// Opens a flow.
    Flow, FlowName = "flow", FlowParameters
);
named_action!(
    /// Asks for the user's phone number.
    RequestContactInfo, RequestContactInfoName = "request_contact_info"
);

impl CtaUrl {
    /// A button with a label and an address.
    pub fn new(display_text: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: CtaUrlName::Name,
            parameters: CtaUrlParameters {
                display_text: display_text.into(),
                url: url.into(),
            },
        }
    }
}

impl Flow {
    /// A flow with its parameters.
    pub const fn new(parameters: FlowParameters) -> Self {
        Self {
            name: FlowName::Name,
            parameters,
        }
    }
}

impl LocationRequest {
    /// The request.
    pub const fn new() -> Self {
        Self {
            name: LocationRequestName::Name,
        }
    }
}

impl Default for LocationRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestContactInfo {
    /// The request.
    pub const fn new() -> Self {
        Self {
            name: RequestContactInfoName::Name,
        }
    }
}

impl Default for RequestContactInfo {
    fn default() -> Self {
        Self::new()
    }
}

/// A link button.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CtaUrlParameters {
    /// Its label; up to 20 characters.
    pub display_text: String,
    /// What it opens.
    pub url: String,
}

/// A flow to open: by id or by name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowParameters {
    /// `3`.
    pub flow_message_version: String,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// Or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_name: Option<String>,
    /// The button's label; up to 20 characters.
    pub flow_cta: String,
    /// Comes back with the answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_token: Option<String>,
    /// `navigate` or `data_exchange`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_action: Option<String>,
    /// First screen and its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_action_payload: Option<Value>,
    /// `draft` or `published`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl<A> Frame<A> {
    /// Text and buttons, without header and footer.
    pub fn new(body: impl Into<String>, action: A) -> Self {
        Self {
            header: None,
            body: Label { text: body.into() },
            footer: None,
            action,
        }
    }
}
