//! Whether a filter selects a resource or an element.

use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::Value;

use super::{AttributePath, Filter, Literal, Node, Operator};
use crate::{
    document::{Document, folded},
    schema::{Attribute, Kind, Schema, VALUE},
};

/// Where the names of a filter are looked up.
#[derive(Clone, Copy)]
enum Scope {
    Resource(&'static Schema),
    Element(&'static Attribute),
}

impl Scope {
    fn find(self, name: &str) -> Option<&'static Attribute> {
        match self {
            Self::Resource(schema) => schema.find(name),
            Self::Element(attribute) => attribute.sub(name),
        }
    }
}

impl Filter {
    pub(crate) fn matches(&self, schema: &'static Schema, document: &Document) -> bool {
        judge(&self.0, Scope::Resource(schema), document)
    }
}

impl Node {
    /// Whether it selects this element of the attribute.
    pub(crate) fn selects(&self, attribute: &'static Attribute, element: &Document) -> bool {
        judge(self, Scope::Element(attribute), element)
    }
}

fn judge(node: &Node, scope: Scope, document: &Document) -> bool {
    match node {
        Node::And(nodes) => nodes.iter().all(|node| judge(node, scope, document)),
        Node::Or(nodes) => nodes.iter().any(|node| judge(node, scope, document)),
        Node::Not(node) => !judge(node, scope, document),
        Node::Present(path) => !values(path, scope, document).is_empty(),
        Node::Compare(path, operator, expected) => {
            let found = values(path, scope, document);
            let is_equal = |operator| {
                let mut found = found.iter();
                found.any(|(attribute, value)| compare(attribute, value, operator, expected))
            };
            match (operator, expected) {
                (Operator::Equal, Literal::Null) => found.is_empty(),
                (Operator::NotEqual, Literal::Null) => !found.is_empty(),
                (Operator::NotEqual, _) => !is_equal(Operator::Equal),
                (operator, _) => is_equal(*operator),
            }
        }
        Node::Element(path, node) => {
            let Some(attribute) = scope.find(&path.name) else {
                return false;
            };
            elements(document.get(attribute.name)).any(|element| node.selects(attribute, element))
        }
    }
}

/// The elements of a multi-valued attribute, or a complex one as its only element.
fn elements(value: Option<&Value>) -> impl Iterator<Item = &Document> {
    let (many, single) = match value {
        Some(Value::Array(elements)) => (elements.as_slice(), None),
        single => (&[][..], single),
    };
    many.iter().chain(single).filter_map(Value::as_object)
}

/// The simple values a path leads to. A multi-valued attribute alone means its elements' `value`
/// (RFC 7643, 2.4); what we do not hold has none.
fn values<'document>(
    path: &AttributePath,
    scope: Scope,
    document: &'document Document,
) -> Vec<(&'static Attribute, &'document Value)> {
    let Some(attribute) = scope.find(&path.name) else {
        return Vec::new();
    };
    let value = document.get(attribute.name);
    let Kind::Complex(subs) = attribute.kind else {
        let is_simple = path.sub.is_none();
        let value = value.filter(|_| is_simple);
        return value.map(|value| (attribute, value)).into_iter().collect();
    };
    let sub = match &path.sub {
        Some(sub) => attribute.sub(sub),
        None => attribute.sub(VALUE),
    };
    // A complex attribute as a whole, `name pr`: present with any of its parts.
    let wanted: Vec<&'static Attribute> = match (sub, &path.sub) {
        (Some(sub), _) => vec![sub],
        (None, None) => subs.iter().collect(),
        (None, Some(_)) => Vec::new(),
    };
    elements(value)
        .flat_map(|element| wanted.iter().map(move |sub| (*sub, element.get(sub.name))))
        .filter_map(|(sub, value)| Some((sub, value?)))
        .collect()
}

fn compare(attribute: &Attribute, actual: &Value, operator: Operator, expected: &Literal) -> bool {
    match (attribute.kind, actual) {
        (Kind::Boolean, Value::Bool(actual)) => {
            operator == Operator::Equal && expected.as_boolean() == Some(*actual)
        }
        (Kind::DateTime, Value::String(actual)) => {
            let Some(expected) = expected.as_text() else {
                return false;
            };
            let moments = (
                DateTime::parse_from_rfc3339(actual),
                DateTime::parse_from_rfc3339(&expected),
            );
            match moments {
                (Ok(actual), Ok(expected)) => holds(operator, actual.cmp(&expected)),
                _ => false,
            }
        }
        (_, Value::String(actual)) => expected
            .as_text()
            .is_some_and(|expected| compare_texts(attribute, actual, operator, &expected)),
        _ => false,
    }
}

fn compare_texts(attribute: &Attribute, actual: &str, operator: Operator, expected: &str) -> bool {
    let actual = folded(attribute, actual);
    let expected = folded(attribute, expected);
    match operator {
        Operator::Contains => actual.contains(&*expected),
        Operator::StartsWith => actual.starts_with(&*expected),
        Operator::EndsWith => actual.ends_with(&*expected),
        ordered => holds(ordered, actual.cmp(&expected)),
    }
}

fn holds(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::NotEqual => ordering.is_ne(),
        Operator::Greater => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}
