//! What Resend takes for an e-mail.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{address::Address, error::ApiError, team::Team};

const MAX_RECIPIENTS: usize = 50;
const MAX_TAG_LENGTH: usize = 256;

/// An e-mail that may be sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) bcc: Vec<String>,
    pub(super) reply_to: Vec<String>,
    pub(super) subject: String,
    pub(super) html: Option<String>,
    pub(super) text: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Everybody who gets it.
    pub(super) recipients: Vec<Address>,
}

/// Reads one e-mail of a request.
pub(super) fn message(body: &Value, team: &Team) -> Result<Message, ApiError> {
    let fields = body
        .as_object()
        .ok_or_else(|| ApiError::validation("The body must be an object."))?;
    refuse_unplayed(fields)?;
    let from = required(fields, "from")?;
    let sender = Address::parse(&from).ok_or_else(|| {
        ApiError::of(
            "invalid_from_address",
            format!("Invalid `from` field. {FORMATS}"),
        )
    })?;
    let to = addresses(fields, "to")?;
    if to.is_empty() {
        return Err(ApiError::missing("to"));
    }
    let cc = addresses(fields, "cc")?;
    let bcc = addresses(fields, "bcc")?;
    let subject = required(fields, "subject")?;
    let html = text(fields, "html")?;
    let content = text(fields, "text")?;
    if html.as_deref().unwrap_or_default().is_empty()
        && content.as_deref().unwrap_or_default().is_empty()
    {
        let message = "Missing `html` or `text` field.";
        return Err(ApiError::of("missing_required_field", message));
    }
    let everybody = to.iter().chain(&cc).chain(&bcc);
    let recipients: Vec<_> = everybody.filter_map(|to| Address::parse(to)).collect();
    check_sender(&sender, &recipients, team)?;
    Ok(Message {
        reply_to: addresses(fields, "reply_to")?,
        tags: tags(fields)?,
        text: content,
        from,
        to,
        cc,
        bcc,
        subject,
        html,
        recipients,
    })
}

const FORMATS: &str = "The email address needs to follow the `email@example.com` or \
     `Name <email@example.com>` format.";

/// What Resend has and the sandbox has not: better refused than silently left out.
fn refuse_unplayed(fields: &Map<String, Value>) -> Result<(), ApiError> {
    let unplayed = ["attachments", "scheduled_at", "template", "topic_id"];
    let present = |name: &&str| fields.get(*name).is_some_and(|value| !value.is_null());
    match unplayed.into_iter().find(|name| present(name)) {
        Some(name) => {
            let message = format!("The sandbox does not play `{name}`.");
            Err(ApiError::validation(message))
        }
        None => Ok(()),
    }
}

/// Resend sends from verified domains; its own test sender writes only to the owner of the account and to Resend's
/// test addresses.
fn check_sender(sender: &Address, recipients: &[Address], team: &Team) -> Result<(), ApiError> {
    let forbidden =
        |message: String| Err(ApiError::validation(message).status(http::StatusCode::FORBIDDEN));
    if sender.domain == "resend.dev" {
        let own = |to: &Address| to.domain == "resend.dev" || to.bare() == team.account_email;
        if recipients.iter().all(own) {
            return Ok(());
        }
        return forbidden(format!(
            "You can only send testing emails to your own email address ({}).",
            team.account_email
        ));
    }
    if team.domains.contains(&sender.domain) {
        return Ok(());
    }
    forbidden(format!(
        "The {} domain is not verified. Please, add and verify your domain.",
        sender.domain
    ))
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::validation(format!(
            "The `{name}` field must be a string."
        ))),
    }
}

fn required(fields: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    let text = text(fields, name)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| ApiError::missing(name))
}

/// One address or up to fifty.
fn addresses(fields: &Map<String, Value>, name: &str) -> Result<Vec<String>, ApiError> {
    let invalid = || ApiError::validation(format!("Invalid `{name}` field. {FORMATS}"));
    let found: Vec<String> = match fields.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => {
            let texts = many.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(invalid)?
        }
        Some(_) => return Err(invalid()),
    };
    if found.len() > MAX_RECIPIENTS {
        let message = format!("The `{name}` field may contain at most {MAX_RECIPIENTS} addresses.");
        return Err(ApiError::validation(message));
    }
    if found.iter().any(|one| Address::parse(one).is_none()) {
        return Err(invalid());
    }
    Ok(found)
}

fn tags(fields: &Map<String, Value>) -> Result<BTreeMap<String, String>, ApiError> {
    let listed = match fields.get("tags") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Array(listed)) => listed,
        Some(_) => return Err(ApiError::validation("The `tags` field must be an array.")),
    };
    let mut tags = BTreeMap::new();
    for tag in listed {
        let part = |key: &str| tag[key].as_str().filter(|text| is_plain(text));
        let (Some(name), Some(value)) = (part("name"), part("value")) else {
            return Err(ApiError::validation(
                "Tags should only contain ASCII letters, numbers, underscores, or dashes.",
            ));
        };
        tags.insert(name.to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn is_plain(text: &str) -> bool {
    (1..=MAX_TAG_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
