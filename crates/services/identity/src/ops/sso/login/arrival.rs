//! Somebody a provider vouches for, in one form for both protocols.

use std::fmt;

use oidc::Identity;
use saml::{Assertion, attributes};

use crate::domain::{email::EmailKey, sso::EmailDomain};

/// RFC 5321 section 4.5.3.1.3, less the angle brackets.
const MAX_EMAIL: usize = 254;
/// As in sign-up.
const MAX_NAME: usize = 100;
const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

pub(super) struct Arrival {
    /// Who it is at the provider. With the connection the key of the account.
    pub(super) subject: String,
    pub(super) email: Option<Address>,
    /// The provider vouches that the person receives mail there.
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
    pub(super) groups: Vec<String>,
    /// The provider left some out: what is not among `groups` means nothing.
    pub(super) groups_incomplete: bool,
}

/// An e-mail address that has the form of one.
pub(super) struct Address {
    /// With the domain in its one form.
    pub(super) text: String,
    pub(super) domain: EmailDomain,
}

/// Without what is about the person.
impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("email_verified", &self.email_verified)
            .field("groups", &self.groups.len())
            .finish_non_exhaustive()
    }
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, _) = text.rsplit_once('@')?;
        let domain = EmailDomain::of_address(text)?;
        let is_local = !local.contains('@')
            && !local
                .chars()
                .any(|letter| letter.is_whitespace() || letter.is_control());
        let text = format!("{local}@{domain}");
        (is_local && text.len() <= MAX_EMAIL).then_some(Self { text, domain })
    }
}

impl Arrival {
    pub(super) fn of_oidc(identity: Identity) -> Self {
        let email_verified = identity.email.as_ref().is_some_and(|email| email.verified);
        Self {
            subject: identity.subject,
            email: identity
                .email
                .and_then(|email| Address::parse(&email.address)),
            email_verified,
            name: identity.name.as_deref().and_then(shown_name),
            groups_incomplete: identity.groups.incomplete,
            groups: identity.groups.names,
        }
    }

    pub(super) fn of_saml(assertion: &Assertion) -> Self {
        let by_address = assertion.name_id_format.as_deref() == Some(EMAIL_FORMAT);
        let (groups, roles) = (attributes::groups(assertion), attributes::roles(assertion));
        Self {
            // Providers spell an address now so, now so; any other name is exact.
            subject: if by_address {
                EmailKey::new(&assertion.name_id).as_str().to_owned()
            } else {
                assertion.name_id.clone()
            },
            email: attributes::email(assertion).and_then(|email| Address::parse(&email)),
            // SAML has no word for it: the organization's own provider speaks, and only of domains that are proven.
            email_verified: true,
            name: attributes::display_name(assertion)
                .as_deref()
                .and_then(shown_name),
            groups: groups.iter().chain(roles).cloned().collect(),
            groups_incomplete: attributes::groups_are_elsewhere(assertion),
        }
    }
}

fn shown_name(text: &str) -> Option<String> {
    let shown: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_NAME)
        .collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_domain_and_nothing_odd() {
        let text = |text| Address::parse(text).map(|address| address.text);
        assert_eq!(
            text(" Ada@Corp.Example ").as_deref(),
            Some("Ada@corp.example")
        );
        assert_eq!(
            text("a@münchen.example").as_deref(),
            Some("a@xn--mnchen-3ya.example")
        );
        for none in [
            "",
            "ada",
            "a@b@corp.example",
            "a b@corp.example",
            "a\0@corp.example",
            "@corp.example",
        ] {
            assert_eq!(text(none), None, "{none:?}");
        }
        assert_eq!(text(&format!("{}@corp.example", "a".repeat(250))), None);
    }

    #[test]
    fn a_name_is_short_and_has_no_control_characters() {
        assert_eq!(shown_name(" Ada\u{7}\n").as_deref(), Some("Ada"));
        assert_eq!(shown_name(" \u{0}"), None);
        assert_eq!(
            shown_name(&"a".repeat(500)).map(|name| name.len()),
            Some(MAX_NAME)
        );
    }
}
