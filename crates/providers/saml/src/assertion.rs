use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

/// What an identity provider says of a person, verified. Everything in it comes from signed bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Good once: see the crate's documentation on replays.
    pub id: String,
    /// The entity id of the identity provider, equal to the metadata's.
    pub issuer: String,
    /// The person's name at the identity provider. Personal data.
    pub name_id: String,
    /// The URI of the name's format, if the provider says one. Never `transient`.
    pub name_id_format: Option<String>,
    /// Values by attribute name, both as the provider writes them. Personal data.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The provider's name for this session.
    pub session_index: Option<String>,
    /// When the person proved who they are, which may be hours before this login.
    pub authn_instant: DateTime<Utc>,
    /// From this time on [`verify`](crate::verify) refuses the assertion whatever happens, skew included: at most
    /// [`MAX_AGE`](crate::MAX_AGE) and [`MAX_SKEW`](crate::MAX_SKEW) after it was issued.
    pub not_on_or_after: DateTime<Utc>,
    /// The request it answers; `None` if the identity provider began.
    pub in_response_to: Option<String>,
}

/// Without what is about the person.
impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertion")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .field("attributes", &self.attributes.len())
            .field("not_on_or_after", &self.not_on_or_after)
            .finish_non_exhaustive()
    }
}
