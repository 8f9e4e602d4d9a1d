//! Whether Meta would take a message: the checks that need nothing but the request body.

mod content;
mod fields;
mod interactive;
mod template;

use serde_json::{Map, Value};

use super::{error::GraphError, identifiers::digits};
use fields::{check_length, object, text};
pub(super) use template::{
    check as check_template, key as template_key, not_found as template_not_found,
};

/// Meta: `biz_opaque_callback_data` has at most 512 characters.
const OPAQUE_LIMIT: usize = 512;
const TYPES: [&str; 11] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
];

/// Who a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Digits of a phone number.
    Phone(String),
    /// A business-scoped user id.
    UserId(String),
}

/// A request that passed the checks of its own body.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) recipient: Recipient,
    /// The recipient as written.
    pub(super) input: &'a str,
    pub(super) kind: &'a str,
    pub(super) opaque: Option<&'a str>,
    /// The object named after the type.
    pub(super) content: &'a Value,
    /// Id of an uploaded file the message shows, and what kind it must be.
    pub(super) media: Option<(&'a str, &'a str)>,
}

/// Checks what is common to all messages, then the part named after the type.
pub(super) fn message(body: &Value) -> Result<Message<'_>, GraphError> {
    let body = envelope(body)?;
    let (recipient, input) = recipient(body)?;
    let kind = match body.get("type") {
        None => "text",
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(GraphError::schema("Param type must be a string")),
    };
    let lower = kind.to_lowercase();
    let Some(kind) = TYPES.iter().find(|known| **known == lower) else {
        return Err(GraphError::schema(&format!(
            "Param type must be one of {{{}}} - got \"{kind}\".",
            TYPES.join(", ").to_uppercase()
        )));
    };
    let opaque = opaque(body)?;
    context(body, kind)?;
    let content = body.get(*kind).ok_or_else(|| {
        GraphError::missing(format!("Parameter '{kind}' is mandatory for type '{kind}'"))
    })?;
    let media = match *kind {
        "text" => content::text_message(content).map(|()| None)?,
        "image" | "video" | "audio" | "document" | "sticker" => content::media(kind, content)?,
        "location" => content::location(content).map(|()| None)?,
        "contacts" => content::contacts(content).map(|()| None)?,
        "reaction" => content::reaction(content).map(|()| None)?,
        "interactive" => interactive::check(content)?,
        _ => {
            template::check_shape(content)?;
            None
        }
    };
    Ok(Message {
        recipient,
        input,
        kind,
        opaque,
        content,
        media,
    })
}

/// `messaging_product`, for messages and read marks alike.
pub(super) fn envelope(body: &Value) -> Result<&Map<String, Value>, GraphError> {
    let Value::Object(body) = body else {
        return Err(GraphError::schema("The request body must be a JSON object"));
    };
    match body.get("messaging_product") {
        None => Err(GraphError::schema(
            "The parameter messaging_product is required.",
        )),
        Some(Value::String(product)) if product == "whatsapp" => Ok(body),
        Some(_) => Err(GraphError::schema(
            "Param messaging_product must be one of {WHATSAPP}",
        )),
    }
}

/// Meta: `to` wins when `recipient` is there too.
fn recipient(body: &Map<String, Value>) -> Result<(Recipient, &str), GraphError> {
    match body.get("recipient_type") {
        None => {}
        Some(Value::String(kind)) if kind == "individual" => {}
        Some(_) => {
            return Err(GraphError::schema(
                "Param recipient_type must be one of {INDIVIDUAL}",
            ));
        }
    }
    match (body.get("to"), body.get("recipient")) {
        (Some(Value::String(to)), _) if !to.is_empty() => {
            let digits = digits(to).ok_or_else(|| {
                GraphError::of(100).details("Param to is not a valid WhatsApp phone number")
            })?;
            Ok((Recipient::Phone(digits), to))
        }
        (None, Some(Value::String(id))) if is_user_id(id) => {
            Ok((Recipient::UserId(id.clone()), id))
        }
        (None, Some(_)) => {
            Err(GraphError::of(100)
                .details("Param recipient is not a valid business-scoped user ID"))
        }
        (Some(Value::String(_)) | None, _) => {
            Err(GraphError::schema("The parameter to is required."))
        }
        (Some(_), _) => Err(GraphError::schema("Param to must be a string")),
    }
}

/// Meta: two letters, a dot, perhaps `ENT.`, and up to 128 letters and digits.
fn is_user_id(id: &str) -> bool {
    let Some((country, rest)) = id.split_once('.') else {
        return false;
    };
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn opaque(body: &Map<String, Value>) -> Result<Option<&str>, GraphError> {
    match body.get("biz_opaque_callback_data") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(data)) => {
            check_length("biz_opaque_callback_data", data, 0, OPAQUE_LIMIT)?;
            Ok(Some(data))
        }
        Some(_) => Err(GraphError::schema(
            "Param biz_opaque_callback_data must be a string",
        )),
    }
}

fn context(body: &Map<String, Value>, kind: &str) -> Result<(), GraphError> {
    let Some(context) = body.get("context") else {
        return Ok(());
    };
    if kind == "reaction" {
        return Err(GraphError::value(
            "context is not allowed for a message of type reaction",
        ));
    }
    let id = text(object(context, "context")?, "context", "message_id")?;
    check_wamid(id)
}

/// Ids of messages. Unknown ones pass: Meta doesn't quote what it can't find.
pub(super) fn check_wamid(id: &str) -> Result<(), GraphError> {
    if id.starts_with("wamid.") {
        Ok(())
    } else {
        Err(GraphError::value("Message ID is invalid."))
    }
}

#[cfg(test)]
mod tests;
