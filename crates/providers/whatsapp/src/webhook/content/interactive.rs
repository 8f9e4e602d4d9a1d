//! Answers to interactive messages.

use chrono::{DateTime, Utc};

use crate::webhook::json::Object;

kept_private!(FlowReply);
kept_private!(Interactive, |answer| answer.name());

/// An answer, by `interactive.type`.
#[derive(Clone, PartialEq, Eq)]
pub enum Interactive {
    /// A tap on a reply button.
    ButtonReply {
        /// The button's id as we sent it.
        id: Option<String>,
        /// Its label.
        title: Option<String>,
    },
    /// A choice from a list.
    ListReply {
        /// The row's id as we sent it.
        id: Option<String>,
        /// Its title.
        title: Option<String>,
        /// Its description.
        description: Option<String>,
    },
    /// A completed flow or address form.
    FlowReply(FlowReply),
    /// The user's answer to a request to be called.
    CallPermissionReply {
        /// `accept` or `reject`.
        response: Option<String>,
        /// Until when calls are allowed.
        expires_at: Option<DateTime<Utc>>,
        /// What made the user answer, `user_action` or `automatic`.
        source: Option<String>,
    },
    /// A type this version does not know. The item's JSON has it.
    Unknown {
        /// The `interactive.type`.
        kind: Option<String>,
    },
}

/// What a flow or form returned.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowReply {
    /// `flow` or `address_message`.
    pub name: Option<String>,
    /// What the user sees in the chat.
    pub body: Option<String>,
    /// The answers: JSON text inside the JSON, kept as text.
    pub response_json: Option<String>,
}

impl FlowReply {
    /// The token we gave the flow, if the answers carry it.
    pub fn flow_token(&self) -> Option<String> {
        let answers: serde_json::Value =
            serde_json::from_str(self.response_json.as_deref()?).ok()?;
        Some(answers.get("flow_token")?.as_str()?.to_owned())
    }
}

impl Interactive {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let kind = object.id("type");
        let found = kind.as_deref().and_then(|kind| {
            let inner = object.object(kind)?;
            Some(match kind {
                "button_reply" => Self::ButtonReply {
                    id: inner.text("id"),
                    title: inner.text("title"),
                },
                "list_reply" => Self::ListReply {
                    id: inner.text("id"),
                    title: inner.text("title"),
                    description: inner.text("description"),
                },
                "nfm_reply" => Self::FlowReply(FlowReply {
                    name: inner.id("name"),
                    body: inner.text("body"),
                    response_json: inner.text("response_json"),
                }),
                "call_permission_reply" => Self::CallPermissionReply {
                    response: inner.id("response"),
                    expires_at: inner.time("expiration_timestamp"),
                    source: inner.id("response_source"),
                },
                _ => return None,
            })
        });
        found.unwrap_or(Self::Unknown { kind })
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::ButtonReply { .. } => "button_reply",
            Self::ListReply { .. } => "list_reply",
            Self::FlowReply(_) => "flow_reply",
            Self::CallPermissionReply { .. } => "call_permission_reply",
            Self::Unknown { .. } => "interactive_unknown",
        }
    }
}
