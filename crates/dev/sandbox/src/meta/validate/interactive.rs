//! Interactive messages: buttons, lists and links, with Meta's limits on each part.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    content::file,
    fields::{absent, array, child, object, optional_within, text, text_within},
};
use crate::meta::error::GraphError;

const TYPES: [&str; 12] = [
    "button",
    "list",
    "cta_url",
    "location_request_message",
    "flow",
    "product",
    "product_list",
    "catalog_message",
    "carousel",
    "address_message",
    "call_permission_request",
    "request_contact_info",
];

/// Returns the uploaded file its header shows, if it shows one.
pub(super) fn check(content: &Value) -> Result<Option<(&str, &str)>, GraphError> {
    let content = object(content, "interactive")?;
    let kind = text(content, "interactive", "type")?;
    if !TYPES.contains(&kind) {
        return Err(GraphError::schema(&format!(
            "Param interactive['type'] must be one of {{{}}} - got \"{kind}\".",
            TYPES.join(", ").to_uppercase()
        )));
    }
    body(content, kind)?;
    if let Some(footer) = content.get("footer") {
        let footer = object(footer, "interactive['footer']")?;
        text_within(footer, "interactive['footer']", "text", 60)?;
    }
    let media = header(content, kind)?;
    let action = child(content, "interactive", "action")?;
    match kind {
        "button" => buttons(action)?,
        "list" => list(action)?,
        "cta_url" => call_to_action(action)?,
        "location_request_message" => named(action, "send_location")?,
        "flow" => flow(action)?,
        "product" => {
            text(action, "action", "catalog_id")?;
            text(action, "action", "product_retailer_id")?;
        }
        "product_list" => products(action)?,
        "carousel" => within(
            "carousel cards",
            array(action, "action", "cards")?.len(),
            2,
            10,
        )?,
        _ => named(action, kind)?,
    }
    Ok(media)
}

fn body(content: &Map<String, Value>, kind: &str) -> Result<(), GraphError> {
    // A single product and a few requests may do without text.
    if matches!(kind, "product" | "call_permission_request") && !content.contains_key("body") {
        return Ok(());
    }
    let body = child(content, "interactive", "body")?;
    let most = if kind == "list" { 4096 } else { 1024 };
    text_within(body, "interactive['body']", "text", most)?;
    Ok(())
}

fn header<'a>(
    content: &'a Map<String, Value>,
    kind: &str,
) -> Result<Option<(&'a str, &'a str)>, GraphError> {
    let Some(header) = content.get("header") else {
        return match kind {
            "product_list" => Err(absent("interactive", "header")),
            _ => Ok(None),
        };
    };
    let header = object(header, "interactive['header']")?;
    let form = text(header, "interactive['header']", "type")?;
    let allowed: &[&str] = match kind {
        "list" | "product_list" => &["text"],
        "product" => &[],
        _ => &["text", "image", "video", "document", "gif"],
    };
    if !allowed.contains(&form) {
        return Err(GraphError::value(format!(
            "Header type {form} is not allowed for interactive type {kind}"
        )));
    }
    if form == "text" {
        text_within(header, "interactive['header']", "text", 60)?;
        return Ok(None);
    }
    file(form, child(header, "interactive['header']", form)?)
}

fn buttons(action: &Map<String, Value>) -> Result<(), GraphError> {
    let buttons = array(action, "action", "buttons")?;
    within("Buttons count", buttons.len(), 1, 3)?;
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        let button = object(button, "action['buttons'][]")?;
        if text(button, "action['buttons'][]", "type")? != "reply" {
            return Err(GraphError::value("Button type must be reply"));
        }
        let reply = child(button, "action['buttons'][]", "reply")?;
        let id = text(reply, "reply", "id")?;
        let title = text(reply, "reply", "title")?;
        length("Button id", id, 256)?;
        length("Button title", title, 20)?;
        if !ids.insert(id) {
            return Err(GraphError::value("Duplicated reply button id"));
        }
        if !titles.insert(title) {
            return Err(GraphError::value("Duplicated reply button title"));
        }
    }
    Ok(())
}

fn list(action: &Map<String, Value>) -> Result<(), GraphError> {
    length("Button label", text(action, "action", "button")?, 20)?;
    let sections = array(action, "action", "sections")?;
    within("Section count", sections.len(), 1, 10)?;
    let mut rows_in_total = 0;
    let mut ids = HashSet::new();
    for section in sections {
        let section = object(section, "action['sections'][]")?;
        if sections.len() > 1 {
            text(section, "action['sections'][]", "title")?;
        }
        optional_within(section, "action['sections'][]", "title", 24)?;
        let rows = array(section, "action['sections'][]", "rows")?;
        rows_in_total += rows.len();
        for row in rows {
            let row = object(row, "rows[]")?;
            let id = text(row, "rows[]", "id")?;
            length("Row id", id, 200)?;
            length("Row title", text(row, "rows[]", "title")?, 24)?;
            optional_within(row, "rows[]", "description", 72)?;
            if !ids.insert(id) {
                return Err(GraphError::value("Duplicated row id"));
            }
        }
    }
    within("Total row count", rows_in_total, 1, 10)
}

fn call_to_action(action: &Map<String, Value>) -> Result<(), GraphError> {
    named(action, "cta_url")?;
    let parameters = child(action, "action", "parameters")?;
    length(
        "Display text",
        text(parameters, "action['parameters']", "display_text")?,
        20,
    )?;
    let url = text(parameters, "action['parameters']", "url")?;
    match reqwest::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        _ => Err(GraphError::value(
            "Param action['parameters']['url'] is not a valid URI.",
        )),
    }
}

fn flow(action: &Map<String, Value>) -> Result<(), GraphError> {
    named(action, "flow")?;
    let parameters = child(action, "action", "parameters")?;
    let path = "action['parameters']";
    text(parameters, path, "flow_message_version")?;
    length("Flow CTA", text(parameters, path, "flow_cta")?, 30)?;
    if !parameters.contains_key("flow_id") && !parameters.contains_key("flow_name") {
        return Err(absent(path, "flow_id"));
    }
    Ok(())
}

fn products(action: &Map<String, Value>) -> Result<(), GraphError> {
    text(action, "action", "catalog_id")?;
    let sections = array(action, "action", "sections")?;
    within("Section count", sections.len(), 1, 10)?;
    let mut items = 0;
    for section in sections {
        let section = object(section, "action['sections'][]")?;
        items += array(section, "action['sections'][]", "product_items")?.len();
    }
    within("Product count", items, 1, 30)
}

/// Actions that are told by their `name`.
fn named(action: &Map<String, Value>, name: &str) -> Result<(), GraphError> {
    if text(action, "action", "name")? == name {
        Ok(())
    } else {
        Err(GraphError::value(format!(
            "Param action['name'] must be {name}"
        )))
    }
}

fn within(what: &str, count: usize, least: usize, most: usize) -> Result<(), GraphError> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(GraphError::value(format!(
        "{what} invalid. Min: {least}, Max: {most}"
    )))
}

fn length(what: &str, text: &str, most: usize) -> Result<(), GraphError> {
    if text.encode_utf16().count() <= most {
        return Ok(());
    }
    Err(GraphError::value(format!(
        "{what} length invalid. Min length: 1, Max length: {most}"
    )))
}
