//! The envelope: status, issuer, destination, the request it answers, the time it was written.

use chrono::{DateTime, Utc};

use super::{Expectation, Flow, window};
use crate::refusal::{Part, Refusal, Shown};
use crate::tree::{ASSERTION, Element, PROTOCOL, all, attribute, only, text};
use crate::{IdpMetadata, ServiceProvider};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// That the message is a response and says success. Before everything else, so that the trace of a login that the
/// provider refused names the provider's reason and not the assertion that is missing.
pub(super) fn check_status(response: Element<'_, '_>) -> Result<(), Refusal> {
    if !response.has_tag_name((PROTOCOL, "Response")) {
        return Err(Refusal::NotAResponse);
    }
    let unknown = || Refusal::Status {
        code: Shown::new("none"),
    };
    let code = only(response, (PROTOCOL, "Status"))
        .and_then(|status| only(status, (PROTOCOL, "StatusCode")))
        .ok_or_else(unknown)?;
    let value = attribute(code, "Value").ok_or_else(unknown)?;
    if value == SUCCESS {
        return Ok(());
    }
    // The second level is the one that explains (Core 3.2.2.2).
    let detail = only(code, (PROTOCOL, "StatusCode")).and_then(|code| attribute(code, "Value"));
    let short = |value: &str| value.rsplit(':').next().unwrap_or_default().to_owned();
    let code = detail.map_or_else(
        || short(value),
        |detail| format!("{}/{}", short(value), short(detail)),
    );
    Err(Refusal::Status {
        code: Shown::new(&code),
    })
}

/// What the response itself must say. If it is not signed nobody vouches for it, but a wrong answer is wrong anyway.
pub(super) fn check(
    sp: &ServiceProvider,
    idp: &IdpMetadata,
    expected: &Expectation<'_>,
    response: Element<'_, '_>,
    is_signed: bool,
) -> Result<(), Refusal> {
    check_version(response, Part::Response)?;
    if all(response, (ASSERTION, "Issuer")).next().is_some() {
        check_issuer(idp, response, Part::Response)?;
    }
    window::issued(response, Part::Response, expected)?;
    match attribute(response, "Destination") {
        Some(destination) if destination == sp.acs_url.as_str() => {}
        Some(destination) => {
            return Err(Refusal::Destination {
                destination: Shown::new(destination),
                expected: Shown::new(sp.acs_url.as_str()),
            });
        }
        // Bindings 3.5.5.2: a signed message must have it.
        None if is_signed => return Err(Refusal::DestinationMissing),
        None => {}
    }
    check_in_response_to(response, Part::Response, expected)
}

/// What the assertion itself must say; returns when it was issued.
pub(super) fn check_assertion(
    idp: &IdpMetadata,
    expected: &Expectation<'_>,
    assertion: Element<'_, '_>,
) -> Result<DateTime<Utc>, Refusal> {
    check_version(assertion, Part::Assertion)?;
    check_issuer(idp, assertion, Part::Assertion)?;
    window::issued(assertion, Part::Assertion, expected)
}

/// `InResponseTo` of the response or of the confirmation data (Profiles 4.1.4.2, 4.1.5).
pub(super) fn check_in_response_to(
    element: Element<'_, '_>,
    part: Part,
    expected: &Expectation<'_>,
) -> Result<(), Refusal> {
    match (expected.flow, attribute(element, "InResponseTo")) {
        (Flow::Requested(id), Some(answered)) if id == answered && !id.is_empty() => Ok(()),
        (Flow::Requested(_), Some(_)) => Err(Refusal::InResponseTo(part)),
        (Flow::Requested(_), None) => Err(Refusal::InResponseToMissing(part)),
        (Flow::Unsolicited, None) => Ok(()),
        (Flow::Unsolicited, Some(_)) => Err(Refusal::NotUnsolicited(part)),
    }
}

fn check_version(element: Element<'_, '_>, part: Part) -> Result<(), Refusal> {
    if attribute(element, "Version") == Some("2.0") {
        Ok(())
    } else {
        Err(Refusal::Version(part))
    }
}

fn check_issuer(idp: &IdpMetadata, element: Element<'_, '_>, part: Part) -> Result<(), Refusal> {
    let issuer = only(element, (ASSERTION, "Issuer"))
        .and_then(text)
        .ok_or(Refusal::IssuerMissing(part))?;
    if issuer == idp.entity_id() {
        return Ok(());
    }
    Err(Refusal::Issuer {
        part,
        issuer: Shown::new(issuer),
        expected: Shown::new(idp.entity_id()),
    })
}
