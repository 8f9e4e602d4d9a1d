//! From the form field `SAMLResponse` to an assertion that may be believed.

mod conditions;
mod message;
mod shape;
mod signature;
mod statements;
mod subject;
mod window;

pub(crate) use shape::is_ncname;
pub(crate) use signature::verified_by;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::document::{self, Comments, DocumentFault, MAX_BYTES};
use crate::tree::{Element, attribute};
use crate::{Assertion, IdpMetadata, Refusal, ServiceProvider};

/// How far two clocks may differ, at most.
pub const MAX_SKEW: TimeDelta = TimeDelta::minutes(3);
/// How old a message may be when it arrives. Providers that write a longer validity are cut to this.
pub const MAX_AGE: TimeDelta = TimeDelta::minutes(10);
/// The longest validity that is a setting and not a mistake: Entra's longest token lifetime.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Who began the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow<'a> {
    /// We did, with a request of this id, which this browser sent and nobody answered yet.
    Requested(&'a str),
    /// The identity provider did. Only for connections that allow it: there is no request to bind the answer to, so
    /// anybody can log somebody else's browser in.
    Unsolicited,
}

/// What a response is held against.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// Who began the login.
    pub flow: Flow<'a>,
    /// The time of arrival.
    pub now: DateTime<Utc>,
    /// How far the provider's clock may differ; cut to [`MAX_SKEW`].
    pub skew: TimeDelta,
}

impl Expectation<'_> {
    pub(crate) fn skew(&self) -> TimeDelta {
        self.skew.clamp(TimeDelta::zero(), MAX_SKEW)
    }
}

/// Verifies a response and returns what it says. The same response verifies again: storing its id is the caller's
/// (see the crate's documentation).
///
/// # Errors
/// [`Refusal`], the first reason found. It is for the administrator; tell the person only that the login failed.
pub fn verify(
    sp: &ServiceProvider,
    idp: &IdpMetadata,
    expected: &Expectation<'_>,
    saml_response_base64: &str,
) -> Result<Assertion, Refusal> {
    let bytes = decode(saml_response_base64)?;
    let text = document::screen(&bytes, Comments::Refused)?;
    let arrived = document::parse(text)?;
    let response = arrived.root_element();
    message::check_status(response)?;
    let claimed = shape::check_response(response)?;
    let signed_element = signature::check_form(response, claimed)?;
    let is_response_signed = signed_element == response;

    let signed_bytes = signature::signed_bytes(text, idp)?;
    let signed = document::parse(&signed_bytes)?;
    let root = signed.root_element();
    if root.tag_name() != signed_element.tag_name()
        || attribute(root, "ID") != attribute(signed_element, "ID")
    {
        return Err(Refusal::InvalidSignature);
    }
    // From here on only what was signed is read, and of an unsigned response what contradicts it.
    let (envelope, assertion) = if is_response_signed {
        message::check_status(root)?;
        (root, shape::check_response(root)?)
    } else {
        shape::check_assertion(root)?;
        (response, root)
    };
    message::check(sp, idp, expected, envelope, is_response_signed)?;
    read(sp, idp, expected, assertion)
}

fn read(
    sp: &ServiceProvider,
    idp: &IdpMetadata,
    expected: &Expectation<'_>,
    assertion: Element<'_, '_>,
) -> Result<Assertion, Refusal> {
    let issued = message::check_assertion(idp, expected, assertion)?;
    let subject = subject::read(sp, expected, assertion)?;
    let conditions_end = conditions::check(sp, expected, assertion)?;
    let authentication = statements::authentication(expected, assertion)?;
    let end = (issued + MAX_AGE).min(conditions_end).min(subject.end);
    Ok(Assertion {
        id: attribute(assertion, "ID").ok_or(Refusal::Id)?.to_owned(),
        issuer: idp.entity_id().to_owned(),
        name_id: subject.name_id,
        name_id_format: subject.name_id_format,
        attributes: statements::attributes(assertion)?,
        session_index: authentication.session_index,
        authn_instant: authentication.instant,
        not_on_or_after: end + expected.skew(),
        in_response_to: subject.in_response_to,
    })
}

fn decode(field: &str) -> Result<Vec<u8>, Refusal> {
    // Some providers wrap lines; CRLF at 64 characters adds a thirtieth.
    if field.len() > MAX_BYTES * 3 / 2 {
        return Err(DocumentFault::TooLarge.into());
    }
    let compact: Vec<u8> = field
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(compact).map_err(|_| Refusal::NotBase64)
}
