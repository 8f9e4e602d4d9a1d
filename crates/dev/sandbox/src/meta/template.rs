//! Message templates: what was registered, and what a send has to fill in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A template as `POST /_sandbox/wabas/{id}/templates` takes it and `GET /{waba}/message_templates` gives it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    #[serde(default)]
    pub id: String,
    pub name: String,
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`; upper-cased when registered.
    pub category: String,
    #[serde(default = "approved")]
    pub status: String,
    /// `POSITIONAL` or `NAMED`.
    #[serde(default = "positional")]
    pub parameter_format: String,
    /// In Meta's form: `{"type":"BODY","text":"Hi {{1}}"}` …
    #[serde(default)]
    pub components: Vec<Value>,
}

fn approved() -> String {
    "APPROVED".into()
}

fn positional() -> String {
    "POSITIONAL".into()
}

/// What the sender of a template must supply, worked out once from its components.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    pub(super) header: HeaderNeed,
    pub(super) body_text: String,
    pub(super) body: Vec<String>,
    pub(super) buttons: Vec<ButtonNeed>,
    pub(super) cards: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) enum HeaderNeed {
    #[default]
    None,
    Text(Vec<String>),
    /// Parameter type: image, video, document or location.
    Media(String),
}

/// One button, in the order of the template. `sub_type` is what a send calls it.
#[derive(Clone, Debug)]
pub(super) struct ButtonNeed {
    pub(super) sub_type: &'static str,
    /// Without its parameter the send is refused.
    pub(super) required: bool,
}

impl Template {
    pub(super) fn normalized(mut self) -> Self {
        self.category = self.category.to_uppercase();
        self.status = self.status.to_uppercase();
        self.parameter_format = self.parameter_format.to_uppercase();
        self
    }

    pub(super) fn is_named(&self) -> bool {
        self.parameter_format == "NAMED"
    }

    pub(super) fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for component in &self.components {
            let text = component["text"].as_str().unwrap_or_default();
            match upper(&component["type"]).as_str() {
                "HEADER" => needs.header = header_need(component, text),
                "BODY" => {
                    needs.body = placeholders(text);
                    text.clone_into(&mut needs.body_text);
                    // An authentication template has a fixed text with one variable: the code.
                    if self.category == "AUTHENTICATION" && text.is_empty() {
                        needs.body = vec!["1".into()];
                    }
                }
                "BUTTONS" => needs.buttons = button_needs(&component["buttons"]),
                "CAROUSEL" => {
                    needs.cards = component["cards"].as_array().map_or(0, Vec::len);
                }
                _ => {}
            }
        }
        needs
    }
}

fn header_need(component: &Value, text: &str) -> HeaderNeed {
    match upper(&component["format"]).as_str() {
        "IMAGE" => HeaderNeed::Media("image".into()),
        "VIDEO" => HeaderNeed::Media("video".into()),
        "DOCUMENT" => HeaderNeed::Media("document".into()),
        "LOCATION" => HeaderNeed::Media("location".into()),
        _ => match placeholders(text) {
            names if names.is_empty() => HeaderNeed::None,
            names => HeaderNeed::Text(names),
        },
    }
}

fn button_needs(buttons: &Value) -> Vec<ButtonNeed> {
    let list = buttons.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|button| match upper(&button["type"]).as_str() {
            "URL" => ButtonNeed {
                sub_type: "url",
                required: !placeholders(button["url"].as_str().unwrap_or_default()).is_empty(),
            },
            "COPY_CODE" => ButtonNeed {
                sub_type: "copy_code",
                required: true,
            },
            // A one-time password button is filled like a url button.
            "OTP" => ButtonNeed {
                sub_type: "url",
                required: true,
            },
            "QUICK_REPLY" => optional("quick_reply"),
            "FLOW" => optional("flow"),
            "CATALOG" => optional("catalog"),
            "MPM" => ButtonNeed {
                sub_type: "mpm",
                required: true,
            },
            "VOICE_CALL" => optional("voice_call"),
            _ => optional("phone_number"),
        })
        .collect()
}

const fn optional(sub_type: &'static str) -> ButtonNeed {
    ButtonNeed {
        sub_type,
        required: false,
    }
}

fn upper(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_uppercase()
}

/// Names between double braces, in order, each once.
pub(super) fn placeholders(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            break;
        };
        let name = name.trim().to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
        rest = tail;
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn needs_are_read_from_the_components() {
        let template: Template = serde_json::from_value(json!({
            "name": "offer", "language": "en_US", "category": "marketing",
            "components": [
                {"type": "HEADER", "format": "IMAGE"},
                {"type": "BODY", "text": "Hi {{1}}, {{2}} off. Yes, {{1}}!"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Stop"},
                    {"type": "URL", "text": "Shop", "url": "https://shop.example/{{1}}"},
                ]},
            ],
        }))
        .expect("a template");
        let needs = template.normalized().needs();
        assert!(matches!(needs.header, HeaderNeed::Media(kind) if kind == "image"));
        assert_eq!(needs.body, ["1", "2"]);
        assert!(!needs.buttons[0].required);
        assert!(needs.buttons[1].required);
    }
}
