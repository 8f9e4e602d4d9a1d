//! Users and groups as the service sees them.

mod group;
mod meta;
mod user;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use group::{Group, Member};
pub use meta::{Meta, Version};
pub use user::{Email, GroupRef, Name, Role, User};

use crate::{Error, document::Document, schema::ResourceKind};

/// What is the same for users and groups.
pub(crate) trait Resource: Sized {
    const KIND: ResourceKind;

    /// The resource in canonical form: no `schemas`, no nulls.
    fn to_document(&self) -> Document;

    /// The resource of a document in canonical form.
    ///
    /// # Errors
    /// [`Error::Value`] if a required attribute is missing.
    fn from_document(document: Document) -> Result<Self, Error>;
}

/// The whole answer: the document with its `schemas`.
fn answer(resource: &impl Resource, kind: ResourceKind) -> Value {
    let mut document = resource.to_document();
    let schemas = vec![Value::from(kind.schema_urn())];
    document.insert("schemas".to_owned(), Value::Array(schemas));
    Value::Object(document)
}

fn take_text(document: &mut Document, name: &str) -> Option<String> {
    match document.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn required_text(document: &mut Document, name: &'static str) -> Result<String, Error> {
    take_text(document, name).ok_or(Error::Value {
        attribute: name,
        problem: "is required",
    })
}

/// The value of a canonical document; nothing if it is absent.
fn take<T: DeserializeOwned + Default>(document: &mut Document, name: &str) -> T {
    document
        .remove(name)
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

/// Absent rather than null or empty.
fn put(document: &mut Document, name: &str, value: &impl Serialize) {
    let value = serde_json::to_value(value).expect("texts, truth values and times are JSON");
    let is_empty = match &value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(parts) => parts.is_empty(),
        _ => false,
    };
    if !is_empty {
        document.insert(name.to_owned(), value);
    }
}
