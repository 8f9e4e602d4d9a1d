//! Free-form messages other than interactive ones.

use serde_json::{Map, Value};

use super::{
    check_wamid,
    fields::{absent, child, link, object, optional_text, optional_within, text, text_within},
};
use crate::meta::error::GraphError;

pub(super) fn text_message(content: &Value) -> Result<(), GraphError> {
    let content = object(content, "text")?;
    text_within(content, "text", "body", 4096)?;
    match content.get("preview_url") {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(GraphError::schema(
            "Param text['preview_url'] must be a boolean",
        )),
    }
}

/// Returns the uploaded file it shows, if it shows one.
pub(super) fn media<'a>(
    kind: &'a str,
    content: &'a Value,
) -> Result<Option<(&'a str, &'a str)>, GraphError> {
    let content = object(content, kind)?;
    match kind {
        "audio" | "sticker" if content.contains_key("caption") => {
            return Err(GraphError::schema(&format!(
                "Unexpected key \"caption\" on param \"{kind}\"."
            )));
        }
        _ => optional_within(content, kind, "caption", 1024)?,
    }
    if kind == "document" {
        optional_text(content, kind, "filename")?;
    }
    file(kind, content)
}

/// Meta: an `id` or a `link`, one of the two.
pub(super) fn file<'a>(
    kind: &'a str,
    content: &'a Map<String, Value>,
) -> Result<Option<(&'a str, &'a str)>, GraphError> {
    let id = optional_text(content, kind, "id")?.filter(|id| !id.is_empty());
    let url = optional_text(content, kind, "link")?.filter(|url| !url.is_empty());
    match (id, url) {
        (Some(id), None) => Ok(Some((id, kind))),
        (None, Some(url)) => link(url, kind).map(|()| None),
        (None, None) => Err(absent(kind, "id")),
        (Some(_), Some(_)) => Err(GraphError::schema(&format!(
            "Param {kind} must have exactly one of id and link"
        ))),
    }
}

pub(super) fn location(content: &Value) -> Result<(), GraphError> {
    let content = object(content, "location")?;
    for (name, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
        // Meta's examples write strings where its webhooks write numbers; both are taken.
        let degrees = match content.get(name) {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(number)) => number.trim().parse().ok(),
            Some(_) => None,
            None => return Err(absent("location", name)),
        };
        if !degrees.is_some_and(|degrees: f64| degrees.abs() <= limit) {
            return Err(GraphError::value(format!(
                "Param location['{name}'] is not a valid coordinate"
            )));
        }
    }
    optional_text(content, "location", "name")?;
    optional_text(content, "location", "address")?;
    Ok(())
}

pub(super) fn contacts(content: &Value) -> Result<(), GraphError> {
    let Value::Array(cards) = content else {
        return Err(GraphError::schema("Param contacts must be an array"));
    };
    if cards.is_empty() || cards.len() > 257 {
        return Err(GraphError::value(
            "Param contacts must have between 1 and 257 entries",
        ));
    }
    for card in cards {
        let card = object(card, "contacts[]")?;
        let name = child(card, "contacts[]", "name")?;
        text(name, "contacts[]['name']", "formatted_name")?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if !parts.iter().any(|part| name.contains_key(*part)) {
            return Err(GraphError::missing(
                "At least one name part besides formatted_name is required.",
            ));
        }
    }
    Ok(())
}

pub(super) fn reaction(content: &Value) -> Result<(), GraphError> {
    let content = object(content, "reaction")?;
    check_wamid(text(content, "reaction", "message_id")?)?;
    // An empty one takes the reaction back.
    match optional_text(content, "reaction", "emoji")? {
        Some(emoji) if emoji.is_ascii() && !emoji.is_empty() => Err(GraphError::value(
            "Param reaction['emoji'] must be a single emoji",
        )),
        Some(_) => Ok(()),
        None => Err(absent("reaction", "emoji")),
    }
}
