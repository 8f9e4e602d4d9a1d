//! Who it is about, and who may hand it in.

use chrono::{DateTime, Utc};

use super::{Expectation, message, window};
use crate::ServiceProvider;
use crate::refusal::{Part, Refusal, Shown};
use crate::tree::{ASSERTION, Element, attribute, only, text};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
/// In characters. Core 8.3.7 allows 256 for persistent names; distinguished names are longer.
const MAX_NAME_ID: usize = 512;

/// What the subject says.
pub(super) struct Subject {
    pub(super) name_id: String,
    pub(super) name_id_format: Option<String>,
    pub(super) in_response_to: Option<String>,
    pub(super) end: DateTime<Utc>,
}

pub(super) fn read(
    sp: &ServiceProvider,
    expected: &Expectation<'_>,
    assertion: Element<'_, '_>,
) -> Result<Subject, Refusal> {
    let subject = only(assertion, (ASSERTION, "Subject")).ok_or(Refusal::NameIdMissing)?;
    let name = only(subject, (ASSERTION, "NameID")).ok_or(Refusal::NameIdMissing)?;
    let name_id = text(name).ok_or(Refusal::NameIdMissing)?;
    if name_id.chars().count() > MAX_NAME_ID || name_id.chars().any(char::is_control) {
        return Err(Refusal::NameIdForm);
    }
    let format = attribute(name, "Format");
    if format == Some(TRANSIENT) {
        return Err(Refusal::TransientNameId);
    }

    let data = confirmation_data(subject).ok_or(Refusal::SubjectConfirmation)?;
    let end = check_confirmation(sp, expected, data)?;
    Ok(Subject {
        name_id: name_id.to_owned(),
        name_id_format: format.map(str::to_owned),
        in_response_to: attribute(data, "InResponseTo").map(str::to_owned),
        end,
    })
}

/// Of the only confirmation, which must be bearer: who holds the message may hand it in (Profiles 4.1.4.2).
fn confirmation_data<'a, 'input>(subject: Element<'a, 'input>) -> Option<Element<'a, 'input>> {
    let confirmation = only(subject, (ASSERTION, "SubjectConfirmation"))?;
    if attribute(confirmation, "Method") != Some(BEARER) {
        return None;
    }
    only(confirmation, (ASSERTION, "SubjectConfirmationData"))
}

fn check_confirmation(
    sp: &ServiceProvider,
    expected: &Expectation<'_>,
    data: Element<'_, '_>,
) -> Result<DateTime<Utc>, Refusal> {
    let recipient = attribute(data, "Recipient").ok_or(Refusal::RecipientMissing)?;
    if recipient != sp.acs_url.as_str() {
        return Err(Refusal::Recipient {
            recipient: Shown::new(recipient),
            expected: Shown::new(sp.acs_url.as_str()),
        });
    }
    message::check_in_response_to(data, Part::Confirmation, expected)?;
    window::begun(data, Part::Confirmation, expected)?;
    window::end(data, Part::Confirmation, expected)
}
