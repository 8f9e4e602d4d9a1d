//! The elements of a multi-valued attribute, together.

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use super::{Document, folded};
use crate::schema::{Attribute, PRIMARY, VALUE};

/// The elements with others added. One that is there already (the same value and type) is not
/// doubled but takes over what the new one says besides, such as being the primary one.
pub(crate) fn merged(
    attribute: &Attribute,
    mut elements: Vec<Document>,
    new: Vec<Document>,
) -> Vec<Document> {
    let positions: Vec<usize> = {
        let mut known = HashMap::with_capacity(elements.len() + new.len());
        for (position, element) in elements.iter().enumerate() {
            known
                .entry(identity(attribute, element))
                .or_insert(position);
        }
        let mut next = elements.len();
        new.iter()
            .map(|element| {
                let position = *known.entry(identity(attribute, element)).or_insert(next);
                next += usize::from(position == next);
                position
            })
            .collect()
    };
    if new.iter().any(is_primary) {
        for element in elements.iter_mut().filter(|element| is_primary(element)) {
            element.insert(PRIMARY.to_owned(), Value::Bool(false));
        }
    }
    for (position, element) in positions.into_iter().zip(new) {
        match elements.get_mut(position) {
            Some(known) => known.extend(element),
            None => elements.push(element),
        }
    }
    elements
}

type Identity<'element> = (Option<Cow<'element, str>>, Option<Cow<'element, str>>);

fn identity<'element>(attribute: &Attribute, element: &'element Document) -> Identity<'element> {
    let part = |name| {
        let sub = attribute.sub(name)?;
        let text = element.get(sub.name)?.as_str()?;
        Some(folded(sub, text))
    };
    (part(VALUE), part("type"))
}

/// At most one element is the primary one (RFC 7643, 2.4): the last that says so, as the last one
/// asked for.
pub(crate) fn keep_one_primary(elements: &mut [Document], asked_for: Option<usize>) {
    let keep = asked_for
        .filter(|&index| elements.get(index).is_some_and(is_primary))
        .or_else(|| elements.iter().rposition(is_primary));
    for (index, element) in elements.iter_mut().enumerate() {
        if Some(index) != keep && is_primary(element) {
            element.insert(PRIMARY.to_owned(), Value::Bool(false));
        }
    }
}

fn is_primary(element: &Document) -> bool {
    element.get(PRIMARY) == Some(&Value::Bool(true))
}
