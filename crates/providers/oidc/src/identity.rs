//! Who it is.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use crate::{Kind, Refusal, client::ProviderInner, shown::Shown, token::Object, userinfo::Facts};

/// A person, as the provider vouches for them. `Debug` leaves out everything personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// With `subject` (and the connection) the key of the account. One spelling for each issuer.
    pub issuer: String,
    /// Never given to another person. For Entra `<tenant id>.<object id>`, since its `sub` is
    /// another one for each app.
    pub subject: String,
    /// The e-mail address, if the provider says one.
    pub email: Option<Email>,
    /// The person's name, as they want it shown.
    pub name: Option<String>,
    /// The groups, if the settings name the claim.
    pub groups: Groups,
    /// Google: the Workspace domain the account belongs to.
    pub hosted_domain: Option<String>,
    /// Entra: the directory the account is in.
    pub tenant_id: Option<Uuid>,
}

/// An e-mail address. Compare without regard to case; never take it for a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// As the provider writes it.
    pub address: String,
    /// Whether the provider vouches that the person receives mail there. It still says nothing
    /// about a domain the connection does not own.
    pub verified: bool,
}

/// The groups a person is in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// Names or ids.
    pub names: Vec<String>,
    /// There are more: the provider does not put them all into a token (Entra over 200). What is
    /// absent then means nothing.
    pub incomplete: bool,
}

/// The most groups that are read, and the longest name, in bytes.
const MAX_GROUPS: usize = 500;
const MAX_GROUP: usize = 256;
const MAX_NAME: usize = 200;
/// RFC 5321 section 4.5.3.1.3, less the angle brackets.
const MAX_EMAIL: usize = 254;

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("issuer", &self.issuer)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("verified", &self.verified)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups")
            .field("count", &self.names.len())
            .field("incomplete", &self.incomplete)
            .finish()
    }
}

impl Identity {
    pub(crate) fn new(provider: &ProviderInner, facts: Facts) -> Result<Self, Refusal> {
        let Facts { verified, userinfo } = facts;
        let (claims, kind) = (&verified.claims, &provider.settings.kind);
        let hosted_domain = match kind {
            Kind::Google { hosted_domains } => hosted_domain(claims, hosted_domains)?,
            Kind::Generic | Kind::Entra { .. } | Kind::Okta => None,
        };
        let subject = match verified.tenant {
            Some(tenant) => format!("{tenant}.{}", object_id(claims)?),
            None => verified.subject,
        };
        // Address and verification from the same place: one's word for the other's address is
        // nobody's word.
        let source = if claims.has("email") {
            claims
        } else {
            &userinfo
        };
        let either = |name: &str| claims.get(name).or_else(|| userinfo.get(name));
        Ok(Self {
            issuer: provider.plan.issuer.canonical(verified.tenant),
            subject,
            email: email(kind, source),
            name: either("name")
                .and_then(Value::as_str)
                .and_then(display_name),
            groups: provider
                .settings
                .groups_claim
                .as_deref()
                .map_or_else(Groups::default, |name| {
                    Groups::read(either(name), claims, name)
                }),
            hosted_domain,
            tenant_id: verified.tenant,
        })
    }
}

/// The Workspace domain, which must be an admitted one if any are named. It counts in the token
/// only: the parameter of the same name is a hint anybody can remove.
fn hosted_domain(claims: &Object, admitted: &[String]) -> Result<Option<String>, Refusal> {
    let found = claims.text("hd").filter(|domain| !domain.is_empty());
    let admitted = admitted.is_empty()
        || found.is_some_and(|found| {
            admitted
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(found))
        });
    if admitted {
        Ok(found.map(str::to_ascii_lowercase))
    } else {
        let found = Shown::new(found.unwrap_or_default());
        Err(Refusal::HostedDomainRefused { found })
    }
}

/// The person's id in their directory, the same for every app.
fn object_id(claims: &Object) -> Result<Uuid, Refusal> {
    claims
        .text("oid")
        .and_then(|oid| Uuid::try_parse(oid).ok())
        .ok_or(Refusal::ObjectIdMissing)
}

fn email(kind: &Kind, source: &Object) -> Option<Email> {
    let address = source.text("email").filter(|text| is_address(text))?;
    let verified = match kind {
        Kind::Generic | Kind::Okta => is_verified(source),
        Kind::Google { .. } => is_verified(source) && is_googles_own(address, source),
        // `email` is whatever an administrator of some directory typed in; only this optional
        // claim says that the domain is the directory's own. It comes in all these forms.
        Kind::Entra { .. } => source.get("xms_edov").is_some_and(|value| match value {
            Value::Bool(owned) => *owned,
            Value::Number(number) => number.as_u64() == Some(1),
            Value::String(text) => text == "true" || text == "1",
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        }),
    };
    Some(Email {
        address: address.to_owned(),
        verified,
    })
}

/// The truth value, not a text that looks like it: providers that send texts do not agree on what
/// they mean.
fn is_verified(source: &Object) -> bool {
    source.get("email_verified") == Some(&Value::Bool(true))
}

/// Whether Google runs the mailbox, or the organization that does is its customer. An address
/// elsewhere was verified once, and may have another owner today.
fn is_googles_own(address: &str, source: &Object) -> bool {
    let domain = address.rsplit('@').next().unwrap_or_default();
    source.text("hd").is_some_and(|hd| !hd.is_empty())
        || domain.eq_ignore_ascii_case("gmail.com")
        || domain.eq_ignore_ascii_case("googlemail.com")
}

fn is_address(text: &str) -> bool {
    let bare = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|letter| !letter.is_control() && !letter.is_whitespace() && letter != '@')
    };
    text.len() <= MAX_EMAIL
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| bare(local) && bare(domain))
}

fn display_name(text: &str) -> Option<String> {
    let shown: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_NAME)
        .collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

impl Groups {
    fn read(value: Option<&Value>, claims: &Object, claim: &str) -> Self {
        // Where the rest is to be fetched (OpenID Connect Core section 5.6.2).
        let elsewhere = claims
            .get("_claim_names")
            .is_some_and(|names| names.get(claim).is_some());
        let all: Vec<&str> = match value {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let usable = |name: &&str| !name.is_empty() && name.len() <= MAX_GROUP;
        let names: Vec<String> = all
            .iter()
            .copied()
            .filter(usable)
            .take(MAX_GROUPS)
            .map(str::to_owned)
            .collect();
        Self {
            incomplete: elsewhere || names.len() < all.len(),
            names,
        }
    }
}

#[cfg(test)]
mod tests;
