//! `attributes` and `excludedAttributes` (RFC 7644, 3.9).

use serde_json::Value;

use crate::{
    Error,
    document::Document,
    schema::{ID, without_core_urn},
};

/// Which attributes an answer has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projection(Choice);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Choice {
    #[default]
    All,
    Only(Vec<Name>),
    Without(Vec<Name>),
}

/// An attribute or sub-attribute in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    attribute: String,
    sub: Option<String>,
}

impl Projection {
    /// The most names one parameter may have.
    pub const MAX_NAMES: usize = 100;

    /// Of the values of the two parameters. The RFC lets a client give one of them; if both are
    /// given, `attributes` counts.
    ///
    /// # Errors
    /// [`Error::Value`] for more than [`MAX_NAMES`](Self::MAX_NAMES).
    pub fn new(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, Error> {
        let only = names("attributes", attributes)?;
        let without = names("excludedAttributes", excluded)?;
        Ok(Self(if !only.is_empty() {
            Choice::Only(only)
        } else if !without.is_empty() {
            Choice::Without(without)
        } else {
            Choice::All
        }))
    }

    /// Whether any part of the attribute is asked for: if not, it need not be loaded.
    pub fn includes(&self, attribute: &str) -> bool {
        let is_it = |name: &&Name| name.attribute.eq_ignore_ascii_case(attribute);
        match &self.0 {
            Choice::All => true,
            Choice::Only(names) => {
                is_always_returned(attribute) || names.iter().any(|name| is_it(&name))
            }
            Choice::Without(names) => {
                is_always_returned(attribute)
                    || !names.iter().any(|name| is_it(&name) && name.sub.is_none())
            }
        }
    }

    /// Takes out of a resource what is not asked for. `id` and `schemas` always stay.
    pub fn apply(&self, mut resource: Value) -> Value {
        let Value::Object(document) = &mut resource else {
            return resource;
        };
        document.retain(|attribute, _| self.includes(attribute));
        match &self.0 {
            Choice::All => {}
            Choice::Only(names) => trim(document, |attribute, sub| {
                let mut of_attribute = names.iter().filter(|name| name.attribute == attribute);
                of_attribute.any(|name| name.sub.as_deref().is_none_or(|wanted| wanted == sub))
            }),
            Choice::Without(names) => trim(document, |attribute, sub| {
                let mut of_attribute = names.iter().filter(|name| name.attribute == attribute);
                !of_attribute.any(|name| name.sub.as_deref() == Some(sub))
            }),
        }
        resource
    }
}

/// Keeps the sub-attributes that are wanted, and drops what is empty then.
fn trim(document: &mut Document, is_wanted: impl Fn(&str, &str) -> bool) {
    document.retain(|attribute, value| {
        let attribute = attribute.to_ascii_lowercase();
        let keep_parts = |value: &mut Value| match value {
            Value::Object(parts) => {
                parts.retain(|sub, _| is_wanted(&attribute, &sub.to_ascii_lowercase()));
                !parts.is_empty()
            }
            _ => true,
        };
        match value {
            Value::Array(elements) => {
                elements.retain_mut(keep_parts);
                !elements.is_empty()
            }
            single => keep_parts(single),
        }
    });
}

fn is_always_returned(attribute: &str) -> bool {
    attribute.eq_ignore_ascii_case(ID) || attribute.eq_ignore_ascii_case("schemas")
}

fn names(parameter: &'static str, list: Option<&str>) -> Result<Vec<Name>, Error> {
    let parts = list.unwrap_or_default().split(',').map(str::trim);
    let names: Vec<Name> = parts
        .filter(|part| !part.is_empty())
        .take(Projection::MAX_NAMES + 1)
        .filter_map(|part| {
            let name = without_core_urn(part)?.to_ascii_lowercase();
            Some(match name.split_once('.') {
                // A URN of another schema has dots of its own.
                Some((attribute, sub)) if !name.contains(':') => Name {
                    attribute: attribute.to_owned(),
                    sub: Some(sub.to_owned()),
                },
                _ => Name {
                    attribute: name,
                    sub: None,
                },
            })
        })
        .collect();
    if names.len() > Projection::MAX_NAMES {
        return Err(Error::Value {
            attribute: parameter,
            problem: "has too many names",
        });
    }
    Ok(names)
}
