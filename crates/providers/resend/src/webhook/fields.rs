//! Fields of a body that may lack them, or have them in another shape than the documentation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// A text that is not empty.
pub(super) fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// One text or many.
pub(super) fn texts(object: &Map<String, Value>, key: &str) -> Vec<String> {
    match object.get(key) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(texts)) => texts
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// A time as RFC 3339 has it, or as PostgreSQL prints it: Resend uses both.
pub(super) fn time(object: &Map<String, Value>, key: &str) -> Option<DateTime<Utc>> {
    let text = object.get(key)?.as_str()?;
    let parsed = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"));
    Some(parsed.ok()?.with_timezone(&Utc))
}

/// Tags as events have them (`{"name": "value"}`) or as requests have them (`[{"name": …, "value": …}]`).
pub(super) fn tags(object: &Map<String, Value>, key: &str) -> BTreeMap<String, String> {
    match object.get(key) {
        Some(Value::Object(tags)) => tags
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), scalar(value)?)))
            .collect(),
        Some(Value::Array(tags)) => tags
            .iter()
            .filter_map(|tag| Some((text(tag.as_object()?, "name")?, scalar(tag.get("value")?)?)))
            .collect(),
        _ => BTreeMap::new(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
