//! Why a caller is refused.

use std::borrow::Cow;

use errors::{Classify, Code, FieldViolation, codes};

use crate::KeySourceError;

/// Why a caller is refused. What a caller reads never says which check of a token failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No `Authorization: Bearer`.
    #[error("the call has no bearer token")]
    Missing,
    /// Not a token of ours: malformed, forged, or for somebody else.
    #[error("the token is not acceptable: {0}")]
    Invalid(&'static str),
    /// It was a token of ours.
    #[error("the token has expired")]
    Expired,
    /// The session, the member's rights, the key or the organization has ended since.
    #[error("the token was revoked")]
    Revoked,
    /// A sensitive change by a person who proved who it is too long ago.
    #[error("the person must prove again who it is")]
    StepUp,
    /// Identity could not be asked for a key that the token names.
    #[error("fetch the keys that verify tokens")]
    KeysUnavailable(#[source] KeySourceError),
    /// The caller is known and may not do this.
    #[error("`{0}` is not granted to the caller")]
    Forbidden(&'static str),
    /// A service called for a tenant without naming it.
    #[error("a service must name the organization it acts for in `sb-organization-id`")]
    OrganizationMissing,
    /// A value of the metadata can't be read.
    #[error("the metadata `{0}` is malformed")]
    Metadata(&'static str),
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Missing | Self::Invalid(_) => &codes::AUTH_UNAUTHENTICATED,
            Self::Expired => &codes::AUTH_TOKEN_EXPIRED,
            Self::Revoked => &codes::AUTH_REVOKED,
            Self::StepUp => &codes::AUTH_STEP_UP_REQUIRED,
            Self::KeysUnavailable(_) => &codes::UNAVAILABLE,
            Self::Forbidden(_) => &codes::AUTH_FORBIDDEN,
            Self::OrganizationMissing | Self::Metadata(_) => &codes::REQUEST_INVALID,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            // The permission is in the API reference, so naming it reveals nothing and saves a search.
            Self::Forbidden(what) => {
                Cow::Owned(format!("Your role does not allow this: it needs `{what}`."))
            }
            Self::OrganizationMissing | Self::Metadata(_) => Cow::Owned(self.to_string()),
            _ => Cow::Borrowed(self.code().title),
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        match self {
            Self::OrganizationMissing => {
                vec![FieldViolation::new("sb-organization-id", self.to_string())]
            }
            Self::Metadata(name) => vec![FieldViolation::new(*name, "is malformed")],
            _ => Vec::new(),
        }
    }
}
