//! One operation on a resource: finds the attribute and changes it.

use serde_json::Value;

use super::{
    elements,
    operation::{Operation, Verb},
};
use crate::{
    Error,
    document::{Document, read_attribute, wrong},
    schema::{Attribute, ID, Kind, Schema},
};

pub(super) fn apply(
    document: &mut Document,
    schema: &Schema,
    operation: &Operation,
) -> Result<(), Error> {
    // Not one of ours: skipped, see the crate's documentation.
    let Some(attribute) = schema.find(&operation.path.name) else {
        return Ok(());
    };
    if attribute.is_read_only() {
        return read_only(document, attribute, operation);
    }
    if attribute.many {
        return elements::apply(document, attribute, operation);
    }
    if operation.path.selection.is_some() {
        return Err(Error::PathIntoSimple {
            attribute: attribute.name,
        });
    }
    match (attribute.kind, &operation.path.sub) {
        (Kind::Complex(_), Some(sub)) => match attribute.sub(sub) {
            Some(sub) => within(document, attribute, |parts| {
                set(parts, sub, operation.verb, operation.value.as_ref())
            }),
            None => Ok(()),
        },
        (Kind::Complex(_), None) => complex(document, attribute, operation),
        (_, Some(_)) => Err(Error::PathIntoSimple {
            attribute: attribute.name,
        }),
        (_, None) => set(
            document,
            attribute,
            operation.verb,
            operation.value.as_ref(),
        ),
    }
}

/// Okta repeats the group's id beside its new name: the same id changes nothing. Other read-only
/// attributes among the keys are what the client read before, and are skipped.
fn read_only(
    document: &Document,
    attribute: &Attribute,
    operation: &Operation,
) -> Result<(), Error> {
    let is_same =
        operation.value.is_some() && document.get(attribute.name) == operation.value.as_ref();
    if is_same || (!operation.is_explicit && attribute.name != ID) {
        return Ok(());
    }
    Err(immutable(attribute))
}

/// The parts that are named change, the others stay.
fn complex(
    document: &mut Document,
    attribute: &'static Attribute,
    operation: &Operation,
) -> Result<(), Error> {
    match (operation.verb, &operation.value) {
        (Verb::Remove, _) | (_, None | Some(Value::Null)) => {
            document.remove(attribute.name);
            Ok(())
        }
        (verb, Some(Value::Object(values))) => within(document, attribute, |parts| {
            set_parts(parts, attribute, verb, values)
        }),
        (_, Some(_)) => Err(wrong(attribute, "must be an object")),
    }
}

/// Sets the sub-attributes of a complex value that we hold.
pub(super) fn set_parts(
    parts: &mut Document,
    attribute: &Attribute,
    verb: Verb,
    values: &Document,
) -> Result<(), Error> {
    for (key, value) in values {
        if let Some(sub) = attribute.sub(key) {
            set(parts, sub, verb, Some(value))?;
        }
    }
    Ok(())
}

/// Changes the parts of a single complex attribute, which is made if it is missing.
fn within(
    document: &mut Document,
    attribute: &Attribute,
    change: impl FnOnce(&mut Document) -> Result<(), Error>,
) -> Result<(), Error> {
    let value = document
        .entry(attribute.name)
        .or_insert_with(|| Value::Object(Document::new()));
    match value {
        Value::Object(parts) => change(parts),
        _ => Err(wrong(attribute, "must be an object")),
    }
}

/// Sets or removes one simple value.
pub(super) fn set(
    parts: &mut Document,
    attribute: &Attribute,
    verb: Verb,
    value: Option<&Value>,
) -> Result<(), Error> {
    let value = match (verb, value) {
        (Verb::Remove, _) | (_, None) => None,
        (Verb::Add | Verb::Replace, Some(value)) => read_attribute(attribute, value.clone())?,
    };
    match value {
        Some(value) => {
            parts.insert(attribute.name.to_owned(), value);
        }
        None if !attribute.required => {
            parts.remove(attribute.name);
        }
        None if verb == Verb::Remove => {
            return Err(Error::Mutability {
                attribute: attribute.name,
                change: "removed",
            });
        }
        None => return Err(wrong(attribute, "is required")),
    }
    Ok(())
}

pub(super) fn immutable(attribute: &Attribute) -> Error {
    Error::Mutability {
        attribute: attribute.name,
        change: "changed",
    }
}
