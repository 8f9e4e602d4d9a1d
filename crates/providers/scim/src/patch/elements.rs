//! One operation on a multi-valued attribute.

use serde_json::Value;

use super::{
    operation::{Operation, Verb},
    target::{immutable, set, set_parts},
};
use crate::{
    Error,
    document::{Document, folded, keep_one_primary, merged, read_attribute, read_elements, wrong},
    filter::{Literal, Node, Operator},
    schema::{Attribute, VALUE},
};

pub(super) fn apply(
    document: &mut Document,
    attribute: &'static Attribute,
    operation: &Operation,
) -> Result<(), Error> {
    let mut elements: Vec<Document> = match document.remove(attribute.name) {
        Some(Value::Array(values)) => values.into_iter().filter_map(object).collect(),
        _ => Vec::new(),
    };
    let is_whole = operation.path.selection.is_none() && operation.path.sub.is_none();
    let touched = match (operation.verb, &operation.value) {
        (Verb::Remove, value) if is_whole => {
            remove(&mut elements, attribute, value.as_ref())?;
            None
        }
        (Verb::Add, Some(value)) if is_whole => {
            let new = read_elements(attribute, value.clone())?;
            require_values(attribute, &new)?;
            elements = merged(attribute, elements, new);
            None
        }
        (Verb::Replace, Some(value)) if is_whole => {
            elements = read_elements(attribute, value.clone())?;
            require_values(attribute, &elements)?;
            None
        }
        _ => change_selected(&mut elements, attribute, operation)?,
    };
    keep_one_primary(&mut elements, touched);
    let elements = elements.into_iter().map(Value::Object).collect();
    document.insert(attribute.name.to_owned(), Value::Array(elements));
    Ok(())
}

fn object(value: Value) -> Option<Document> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn require_values(attribute: &Attribute, elements: &[Document]) -> Result<(), Error> {
    if elements.iter().all(|element| element.contains_key(VALUE)) {
        Ok(())
    } else {
        Err(wrong(attribute, "has an element without `value`"))
    }
}

/// All elements, or with a value those it lists: Entra's way to take members out of a group. An
/// empty list takes nothing away.
fn remove(
    elements: &mut Vec<Document>,
    attribute: &Attribute,
    value: Option<&Value>,
) -> Result<(), Error> {
    let Some(value) = value else {
        elements.clear();
        return Ok(());
    };
    let listed = read_elements(attribute, value.clone())?;
    require_values(attribute, &listed)?;
    let key = |element: &Document| {
        let sub = attribute.sub(VALUE)?;
        let text = element.get(VALUE)?.as_str()?;
        Some(folded(sub, text).into_owned())
    };
    let listed: std::collections::HashSet<_> = listed.iter().filter_map(key).collect();
    elements.retain(|element| key(element).is_none_or(|value| !listed.contains(&value)));
    Ok(())
}

/// What `attribute[filter]`, `attribute[filter].sub` and `attribute.sub` select. Returns the last
/// element that was changed.
fn change_selected(
    elements: &mut Vec<Document>,
    attribute: &'static Attribute,
    operation: &Operation,
) -> Result<Option<usize>, Error> {
    let path = &operation.path;
    let is_selected = |element: &Document| match &path.selection {
        Some(selection) => selection.selects(attribute, element),
        None => true,
    };
    let is_removal = operation.verb == Verb::Remove
        || (path.sub.is_none() && operation.value.as_ref().is_some_and(Value::is_null));
    if is_removal && path.sub.is_none() {
        elements.retain(|element| !is_selected(element));
        return Ok(None);
    }
    // Members can only come and go (RFC 7643, 4.2).
    if attribute.has_fixed_elements() {
        return Err(immutable(attribute));
    }
    let mut last = None;
    for (index, element) in elements.iter_mut().enumerate() {
        if is_selected(element) {
            change_one(element, attribute, operation)?;
            last = Some(index);
        }
    }
    if last.is_none() && !is_removal {
        let mut element = template(attribute, path.selection.as_ref())?;
        change_one(&mut element, attribute, operation)?;
        // What is made must be what the path names, or a repeated request would make another one.
        if !is_selected(&element) {
            return Err(no_target(attribute));
        }
        last = Some(elements.len());
        elements.push(element);
    }
    Ok(last)
}

fn change_one(
    element: &mut Document,
    attribute: &Attribute,
    operation: &Operation,
) -> Result<(), Error> {
    let value = operation.value.as_ref();
    match (&operation.path.sub, value) {
        (Some(sub), value) => match attribute.sub(sub) {
            Some(sub) => set(element, sub, operation.verb, value),
            None => Ok(()),
        },
        (None, Some(Value::Object(values))) => {
            set_parts(element, attribute, operation.verb, values)
        }
        (None, _) => Err(wrong(attribute, "must be an object")),
    }
}

/// The element that the selection would have found, if equalities describe it.
fn template(attribute: &'static Attribute, selection: Option<&Node>) -> Result<Document, Error> {
    let mut element = Document::new();
    let mut pending: Vec<&Node> = selection.into_iter().collect();
    while let Some(node) = pending.pop() {
        match node {
            Node::And(nodes) => pending.extend(nodes),
            Node::Compare(path, Operator::Equal, literal) if path.sub.is_none() => {
                let sub = attribute
                    .sub(&path.name)
                    .ok_or_else(|| no_target(attribute))?;
                let value = match literal {
                    Literal::Text(text) => Value::from(text.as_str()),
                    Literal::Number(number) => Value::from(number.clone()),
                    Literal::Boolean(truth) => Value::from(*truth),
                    Literal::Null => continue,
                };
                if let Some(value) = read_attribute(sub, value)? {
                    element.insert(sub.name.to_owned(), value);
                }
            }
            _ => return Err(no_target(attribute)),
        }
    }
    Ok(element)
}

fn no_target(attribute: &Attribute) -> Error {
    Error::NoTarget {
        attribute: attribute.name,
    }
}
