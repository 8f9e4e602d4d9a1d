//! Reading elements strictly: what is asked for is there once or it is a fault.

use chrono::{DateTime, Utc};
use roxmltree::Node;

pub(crate) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(crate) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(crate) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

pub(crate) type Element<'a, 'input> = Node<'a, 'input>;

/// The element children of `parent`.
pub(crate) fn elements<'a, 'input>(
    parent: Element<'a, 'input>,
) -> impl Iterator<Item = Element<'a, 'input>> {
    parent.children().filter(Node::is_element)
}

/// All element children of that name.
pub(crate) fn all<'a, 'input>(
    parent: Element<'a, 'input>,
    name: (&'static str, &'static str),
) -> impl Iterator<Item = Element<'a, 'input>> {
    elements(parent).filter(move |child| child.has_tag_name(name))
}

/// The element child of that name, if there is exactly one.
pub(crate) fn only<'a, 'input>(
    parent: Element<'a, 'input>,
    name: (&'static str, &'static str),
) -> Option<Element<'a, 'input>> {
    let mut found = all(parent, name);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The whole text of an element without the space around it; `None` if there is anything but text, or nothing.
pub(crate) fn text<'a>(element: Element<'a, '_>) -> Option<&'a str> {
    let mut children = element.children();
    let only = children.next()?;
    if children.next().is_some() || !only.is_text() {
        return None;
    }
    let trimmed = only.text()?.trim_matches([' ', '\t', '\r', '\n']);
    (!trimmed.is_empty()).then_some(trimmed)
}

/// An attribute that is in no namespace.
pub(crate) fn attribute<'a>(element: Element<'a, '_>, name: &str) -> Option<&'a str> {
    element
        .attributes()
        .find(|attribute| attribute.namespace().is_none() && attribute.name() == name)
        .map(|attribute| attribute.value())
}

/// A time as SAML writes it: `xs:dateTime` in UTC, with the `Z` (Core 1.3.3).
pub(crate) fn instant(value: &str) -> Option<DateTime<Utc>> {
    let is_utc = value.ends_with('Z') && value.as_bytes().get(10) == Some(&b'T');
    if !is_utc {
        return None;
    }
    DateTime::parse_from_rfc3339(value)
        .ok()
        .map(|time| time.to_utc())
}
