//! Where everything is. Wrapping attacks move a signed element aside and put another in its place; with one assertion
//! in the whole document, and only known elements around it, there is no place to move it to.

use std::collections::BTreeSet;

use roxmltree::Node;

use crate::refusal::{Part, Refusal, Shown};
use crate::tree::{ASSERTION, Element, PROTOCOL, SIGNATURE, elements, only};

/// How often a child may be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    Any,
}

type Children = [(&'static str, &'static str, Times)];

/// `Extensions` is left out: no provider we know needs it, and it may hold anything.
const OF_RESPONSE: &Children = &[
    (ASSERTION, "Issuer", Times::Once),
    (SIGNATURE, "Signature", Times::Once),
    (PROTOCOL, "Status", Times::Once),
    (ASSERTION, "Assertion", Times::Once),
];

/// `Advice` and authorisation decisions are left out likewise.
const OF_ASSERTION: &Children = &[
    (ASSERTION, "Issuer", Times::Once),
    (SIGNATURE, "Signature", Times::Once),
    (ASSERTION, "Subject", Times::Once),
    (ASSERTION, "Conditions", Times::Once),
    (ASSERTION, "AuthnStatement", Times::Any),
    (ASSERTION, "AttributeStatement", Times::Any),
];

/// Checks the whole document and returns its one assertion.
pub(super) fn check_response<'a, 'input>(
    response: Element<'a, 'input>,
) -> Result<Element<'a, 'input>, Refusal> {
    check_not_encrypted(response)?;
    let mut assertions = response
        .descendants()
        .filter(|node| node.tag_name().name().eq_ignore_ascii_case("Assertion"));
    let assertion = assertions.next().ok_or(Refusal::NoAssertion)?;
    if assertions.next().is_some() {
        return Err(Refusal::SeveralAssertions);
    }
    if assertion.parent() != Some(response) || !assertion.has_tag_name((ASSERTION, "Assertion")) {
        return Err(Refusal::MisplacedAssertion);
    }
    check_ids(response, &[response, assertion])?;
    check_children(response, Part::Response, OF_RESPONSE)?;
    check_children(assertion, Part::Assertion, OF_ASSERTION)?;
    Ok(assertion)
}

/// Checks an assertion that is a document of its own.
pub(super) fn check_assertion(assertion: Element<'_, '_>) -> Result<(), Refusal> {
    check_not_encrypted(assertion)?;
    check_ids(assertion, &[assertion])?;
    check_children(assertion, Part::Assertion, OF_ASSERTION)
}

fn check_not_encrypted(root: Element<'_, '_>) -> Result<(), Refusal> {
    let is_encrypted = |node: Node<'_, '_>| node.tag_name().name().starts_with("Encrypted");
    if root.descendants().any(is_encrypted) {
        return Err(Refusal::Encrypted);
    }
    Ok(())
}

/// `ID` is at these elements, once each, and nothing anywhere else could be taken for one.
fn check_ids(root: Element<'_, '_>, carriers: &[Element<'_, '_>]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for element in root.descendants().filter(Node::is_element) {
        for id in element
            .attributes()
            .filter(|attribute| attribute.name().eq_ignore_ascii_case("id"))
        {
            let is_plain = id.namespace().is_none() && id.name() == "ID";
            if !is_plain || !carriers.contains(&element) || !is_ncname(id.value()) {
                return Err(Refusal::Id);
            }
            if !seen.insert(id.value()) {
                return Err(Refusal::Id);
            }
        }
    }
    if seen.len() == carriers.len() {
        Ok(())
    } else {
        Err(Refusal::Id)
    }
}

/// The ASCII part of an XML name without colon, which is what providers write, in a length that fits a column.
pub(crate) fn is_ncname(value: &str) -> bool {
    value.len() <= 256
        && value.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn check_children(
    parent: Element<'_, '_>,
    part: Part,
    allowed: &'static Children,
) -> Result<(), Refusal> {
    for child in elements(parent) {
        let rule = allowed
            .iter()
            .find(|(namespace, name, _)| child.has_tag_name((*namespace, *name)));
        let fits = rule.is_some_and(|(namespace, name, times)| {
            *times == Times::Any || only(parent, (namespace, name)).is_some()
        });
        if !fits {
            return Err(Refusal::UnexpectedElement {
                inside: part,
                name: Shown::new(child.tag_name().name()),
            });
        }
    }
    Ok(())
}
