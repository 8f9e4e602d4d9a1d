//! What providers call an e-mail address, a name, a group. Each list is tried from the standard name to the habits.

use crate::Assertion;

const EMAIL: &[&str] = &[
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/claims/EmailAddress",
    "mail",
    "Mail",
    "email",
    "Email",
    "emailAddress",
];
const DISPLAY_NAME: &[&str] = &[
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "displayName",
    "name",
];
const GIVEN_NAME: &[&str] = &[
    "urn:oid:2.5.4.42",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    "givenName",
    "firstName",
    "first_name",
];
const SURNAME: &[&str] = &[
    "urn:oid:2.5.4.4",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    "sn",
    "surname",
    "lastName",
    "last_name",
];
const GROUPS: &[&str] = &[
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.xmlsoap.org/claims/Group",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
    "groups",
    "Groups",
    "group",
];
const ROLES: &[&str] = &[
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
    "roles",
    "Roles",
    "role",
    "Role",
];
/// Where Entra says that the groups are, when there are too many of them.
const GROUPS_LINK: &str = "http://schemas.microsoft.com/claims/groups.link";
const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

/// The person's e-mail address in lower case: of an attribute, else the NameID if its format says that it is one.
///
/// It says how to reach the person, not who they are: providers let people change it. Who they are is the connection
/// and [`Assertion::name_id`].
pub fn email(assertion: &Assertion) -> Option<String> {
    let is_address = || assertion.name_id_format.as_deref() == Some(EMAIL_FORMAT);
    first(assertion, EMAIL)
        .or_else(|| is_address().then_some(assertion.name_id.as_str()))
        .filter(|address| looks_like_address(address))
        .map(str::to_lowercase)
}

/// What to call the person: a display name, else given name and surname, as far as the provider sends them.
pub fn display_name(assertion: &Assertion) -> Option<String> {
    if let Some(name) = first(assertion, DISPLAY_NAME) {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = [GIVEN_NAME, SURNAME]
        .into_iter()
        .filter_map(|names| first(assertion, names))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The groups the provider puts the person in; Entra sends object ids, and above 150 groups a link instead of them.
pub fn groups(assertion: &Assertion) -> &[String] {
    values(assertion, GROUPS)
}

/// Whether the provider says that there are groups and does not send them: then whoever is in no group may be in any.
pub fn groups_are_elsewhere(assertion: &Assertion) -> bool {
    !values(assertion, &[GROUPS_LINK]).is_empty()
}

/// The roles the provider gives the person in our application.
pub fn roles(assertion: &Assertion) -> &[String] {
    values(assertion, ROLES)
}

fn first<'a>(assertion: &'a Assertion, names: &[&str]) -> Option<&'a str> {
    values(assertion, names).first().map(String::as_str)
}

fn values<'a>(assertion: &'a Assertion, names: &[&str]) -> &'a [String] {
    names
        .iter()
        .filter_map(|name| assertion.attributes.get(*name))
        .find(|values| !values.is_empty())
        .map_or(&[], Vec::as_slice)
}

/// Enough to tell an address from a user name; that mail arrives is proved elsewhere.
fn looks_like_address(value: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    value
        .rsplit_once('@')
        .is_some_and(|(local, domain)| is_word(local) && is_word(domain) && !local.contains('@'))
}
