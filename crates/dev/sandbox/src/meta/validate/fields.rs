//! Reading fields the way Meta complains about them.

use serde_json::{Map, Value};

use crate::meta::error::GraphError;

pub(super) fn object<'a>(
    value: &'a Value,
    path: &str,
) -> Result<&'a Map<String, Value>, GraphError> {
    value
        .as_object()
        .ok_or_else(|| GraphError::schema(&format!("Param {path} must be a JSON object")))
}

pub(super) fn array<'a>(
    object: &'a Map<String, Value>,
    path: &str,
    name: &str,
) -> Result<&'a [Value], GraphError> {
    match object.get(name) {
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(GraphError::schema(&format!(
            "Param {path}['{name}'] must be an array"
        ))),
        None => Err(absent(path, name)),
    }
}

pub(super) fn child<'a>(
    parent: &'a Map<String, Value>,
    path: &str,
    name: &str,
) -> Result<&'a Map<String, Value>, GraphError> {
    let value = parent.get(name).ok_or_else(|| absent(path, name))?;
    object(value, &format!("{path}['{name}']"))
}

/// A string that must be there and not be empty.
pub(super) fn text<'a>(
    object: &'a Map<String, Value>,
    path: &str,
    name: &str,
) -> Result<&'a str, GraphError> {
    match optional_text(object, path, name)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(absent(path, name)),
    }
}

pub(super) fn optional_text<'a>(
    object: &'a Map<String, Value>,
    path: &str,
    name: &str,
) -> Result<Option<&'a str>, GraphError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(GraphError::schema(&format!(
            "Param {path}['{name}'] must be a string"
        ))),
    }
}

/// A required string of at most `most` characters.
pub(super) fn text_within<'a>(
    object: &'a Map<String, Value>,
    path: &str,
    name: &str,
    most: usize,
) -> Result<&'a str, GraphError> {
    let found = text(object, path, name)?;
    check_length(&format!("{path}['{name}']"), found, 1, most)?;
    Ok(found)
}

pub(super) fn optional_within(
    object: &Map<String, Value>,
    path: &str,
    name: &str,
    most: usize,
) -> Result<(), GraphError> {
    match optional_text(object, path, name)? {
        Some(found) => check_length(&format!("{path}['{name}']"), found, 0, most),
        None => Ok(()),
    }
}

/// Meta doesn't say what it counts; UTF-16 units are the strictest reading.
pub(super) fn check_length(
    path: &str,
    text: &str,
    least: usize,
    most: usize,
) -> Result<(), GraphError> {
    let length = text.encode_utf16().count();
    if length < least {
        return Err(GraphError::schema(&format!(
            "Param {path} must be at least {least} characters long."
        )));
    }
    if length > most {
        return Err(GraphError::schema(&format!(
            "Param {path} must be at most {most} characters long."
        )));
    }
    Ok(())
}

pub(super) fn absent(path: &str, name: &str) -> GraphError {
    GraphError::missing(format!("The parameter {path}['{name}'] is required."))
}

pub(super) fn link(url: &str, path: &str) -> Result<(), GraphError> {
    match reqwest::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        _ => Err(GraphError::schema(&format!(
            "Param {path}['link'] is not a valid URI."
        ))),
    }
}
