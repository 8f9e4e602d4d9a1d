//! A resource as JSON with canonical names and types, and the tolerant way there from what clients
//! send.

mod elements;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    Error,
    schema::{Attribute, Kind, Schema, VALUE, without_core_urn},
};

pub(crate) use elements::{keep_one_primary, merged};

/// A resource, or one element of it, in canonical form.
pub(crate) type Document = Map<String, Value>;

/// The longest text an attribute may have, in bytes. Names, addresses and ids are far below it.
const MAX_TEXT_BYTES: usize = 1_024;

/// The JSON object of a body.
pub(crate) fn parse_object(body: &[u8]) -> Result<Document, Error> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::Syntax("the body is not a JSON object")),
        Err(_) => Err(Error::Syntax("the body is not JSON")),
    }
}

/// What of a client's resource we hold. Read-only attributes are dropped (RFC 7644, 3.3 and
/// 3.5.1), and so is what is not in the table.
pub(crate) fn read(schema: &Schema, object: Document) -> Result<Document, Error> {
    let mut document = Document::new();
    read_into(&mut document, schema, object)?;
    tidy(&mut document, schema);
    Ok(document)
}

fn read_into(document: &mut Document, schema: &Schema, object: Document) -> Result<(), Error> {
    for (key, value) in object {
        let Some(name) = without_core_urn(&key) else {
            // The core schema's attributes in an object of their own, as extensions have them.
            if let Value::Object(core) = value {
                read_into(document, schema, core)?;
            }
            continue;
        };
        let Some(attribute) = schema.find(name).filter(|found| !found.is_read_only()) else {
            continue;
        };
        if let Some(value) = read_attribute(attribute, value)?
            && document.insert(attribute.name.to_owned(), value).is_some()
        {
            return Err(Error::Syntax("an attribute is given twice"));
        }
    }
    Ok(())
}

/// An attribute's value; `None` for null and for a blank text, which are the same as none at all
/// (RFC 7643, 2.5).
pub(crate) fn read_attribute(attribute: &Attribute, value: Value) -> Result<Option<Value>, Error> {
    if !attribute.many {
        return read_single(attribute, value);
    }
    if value.is_null() {
        return Ok(None);
    }
    let elements = read_elements(attribute, value)?;
    Ok(Some(elements.into_iter().map(Value::Object).collect()))
}

/// The elements of a multi-valued attribute, each once; a single one need not be in an array.
pub(crate) fn read_elements(attribute: &Attribute, value: Value) -> Result<Vec<Document>, Error> {
    let values = match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        single => vec![single],
    };
    let mut elements = Vec::with_capacity(values.len());
    for value in values {
        if let Some(Value::Object(element)) = read_single(attribute, value)? {
            elements.push(element);
        }
    }
    let mut elements = merged(attribute, Vec::new(), elements);
    keep_one_primary(&mut elements, None);
    Ok(elements)
}

fn read_single(attribute: &Attribute, value: Value) -> Result<Option<Value>, Error> {
    let Kind::Complex(_) = attribute.kind else {
        return read_simple(attribute, value);
    };
    let object = match value {
        Value::Null => return Ok(None),
        Value::Object(object) => object,
        // `"members": ["id"]` for `[{"value": "id"}]`.
        simple @ (Value::String(_) | Value::Number(_)) if attribute.sub(VALUE).is_some() => {
            Document::from_iter([(VALUE.to_owned(), simple)])
        }
        _ => return Err(wrong(attribute, "must be an object")),
    };
    let mut element = Document::new();
    for (key, value) in object {
        let Some(sub) = attribute.sub(&key) else {
            continue;
        };
        if let Some(value) = read_simple(sub, value)? {
            element.insert(sub.name.to_owned(), value);
        }
    }
    Ok((!element.is_empty()).then_some(Value::Object(element)))
}

/// Entra's older dialect wraps what is simple: `[{"$ref": null, "value": "x"}]`.
fn read_simple(attribute: &Attribute, value: Value) -> Result<Option<Value>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Array(mut values) => match (values.pop(), values.is_empty()) {
            (None, _) => Ok(None),
            (Some(only), true) => read_simple(attribute, only),
            (Some(_), false) => Err(wrong(attribute, "must be a single value")),
        },
        Value::Object(mut object) => match object.remove(VALUE) {
            Some(value) => read_simple(attribute, value),
            None => Err(wrong(attribute, "must be a simple value")),
        },
        simple => match attribute.kind {
            Kind::Boolean => read_boolean(attribute, &simple).map(Some),
            _ => read_text(attribute, simple),
        },
    }
}

/// Entra writes `"True"` and `"False"` unless its tenant address carries a flag.
fn read_boolean(attribute: &Attribute, value: &Value) -> Result<Value, Error> {
    as_boolean(value)
        .map(Value::Bool)
        .ok_or_else(|| wrong(attribute, "must be true or false"))
}

pub(crate) fn as_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn read_text(attribute: &Attribute, value: Value) -> Result<Option<Value>, Error> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err(wrong(attribute, "must be a text")),
    };
    if text.len() > MAX_TEXT_BYTES {
        return Err(wrong(attribute, "is too long"));
    }
    // The database cannot store it, and nobody has it in a name.
    if text.contains('\0') {
        return Err(wrong(attribute, "contains a NUL character"));
    }
    Ok((!text.trim().is_empty()).then_some(Value::String(text)))
}

pub(crate) fn wrong(attribute: &Attribute, problem: &'static str) -> Error {
    Error::Value {
        attribute: attribute.name,
        problem,
    }
}

/// The text as it is compared.
pub(crate) fn folded<'text>(attribute: &Attribute, text: &'text str) -> Cow<'text, str> {
    if attribute.case_exact {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// Drops elements that say nothing without their `value`, and complex attributes without any part.
/// Empty lists stay: in a PUT they say "none".
pub(crate) fn tidy(document: &mut Document, schema: &Schema) {
    document.retain(|name, value| match (schema.find(name), value) {
        (Some(attribute), Value::Array(elements)) if attribute.many => {
            elements.retain(|element| element.get(VALUE).is_some());
            true
        }
        (_, Value::Object(parts)) => !parts.is_empty(),
        _ => true,
    });
}
