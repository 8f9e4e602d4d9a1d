//! How the person logged in, and what the provider says about them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Expectation, window};
use crate::refusal::{Part, Refusal};
use crate::tree::{ASSERTION, Element, all, attribute, text};

const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The first `AuthnStatement`.
pub(super) struct Authentication {
    pub(super) instant: DateTime<Utc>,
    pub(super) session_index: Option<String>,
}

/// Profiles 4.1.4.2: there is at least one. All must hold; the first is reported.
pub(super) fn authentication(
    expected: &Expectation<'_>,
    assertion: Element<'_, '_>,
) -> Result<Authentication, Refusal> {
    let part = Part::Authentication;
    let mut first = None;
    for statement in all(assertion, (ASSERTION, "AuthnStatement")) {
        let instant = window::required(statement, part, "AuthnInstant")?;
        if instant - expected.now > expected.skew() {
            let seconds = (instant - expected.now).num_seconds();
            return Err(Refusal::IssuedInFuture { part, seconds });
        }
        if let Some(end) = window::optional(statement, part, "SessionNotOnOrAfter")? {
            window::lasts(end, part, expected)?;
        }
        first.get_or_insert_with(|| Authentication {
            instant,
            session_index: attribute(statement, "SessionIndex").map(str::to_owned),
        });
    }
    first.ok_or(Refusal::AuthenticationMissing)
}

/// All attributes. One that is written twice has the values of both.
pub(super) fn attributes(
    assertion: Element<'_, '_>,
) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for statement in all(assertion, (ASSERTION, "AttributeStatement")) {
        for element in all(statement, (ASSERTION, "Attribute")) {
            let name = attribute(element, "Name")
                .filter(|name| !name.is_empty())
                .ok_or(Refusal::AttributeName)?;
            let values = found.entry(name.to_owned()).or_default();
            for value in all(element, (ASSERTION, "AttributeValue")) {
                values.extend(plain(value).map(str::to_owned));
            }
        }
    }
    Ok(found)
}

/// `None` for an empty value, for `xsi:nil`, and for one that is XML (the NameID in `eduPersonTargetedID`).
fn plain<'a>(value: Element<'a, '_>) -> Option<&'a str> {
    let is_nil = value
        .attribute((SCHEMA_INSTANCE, "nil"))
        .is_some_and(|nil| nil == "true" || nil == "1");
    if is_nil { None } else { text(value) }
}
