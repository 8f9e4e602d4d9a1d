//! What can go wrong with single sign-on.

use std::borrow::Cow;

use errors::{Classify, Code, FieldViolation, codes};
use ids::SsoTraceId;

/// Single sign-on was refused.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    /// Somebody could not be logged in. Why is in the trace, for the administrator.
    #[error("the login did not work, see {0}")]
    Failed(SsoTraceId),
    /// A password is not accepted of this person.
    #[error("the organization requires single sign-on")]
    Required,
    /// A session that began at another organization's provider, or with a password.
    #[error("the session is not good for this organization")]
    OtherOrganization,
    /// The installation does not say where it can be reached.
    #[error("single sign-on is not configured")]
    NotConfigured,
    /// The provider can't be worked with: sentences for the administrator, and the field.
    #[error("the provider can't be used")]
    Provider {
        /// Its JSON name.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The connection was changed meanwhile.
    #[error("the connection was changed meanwhile")]
    Changed,
    /// No such thing in this organization.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// As many as there may be.
    #[error("there are too many {0}")]
    TooMany(&'static str),
    /// Anybody can have an address there.
    #[error("the domain is public")]
    DomainPublic,
    /// The DNS record was not found; what was.
    #[error("the domain is not proven")]
    DomainUnproven(String),
    /// Another organization proved it.
    #[error("the domain is another organization's")]
    DomainTaken,
    /// Only a proven domain leads anywhere.
    #[error("the domain is not verified")]
    DomainUnverified,
    /// Nobody could log in while the provider is broken.
    #[error("no owner who could log in otherwise has a second factor")]
    OwnerWithoutFactor,
    /// People would be locked out.
    #[error("single sign-on would be required and lead nowhere")]
    LockedOut,
}

impl Classify for SsoError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Failed(_) => &codes::AUTH_SSO_FAILED,
            Self::Required | Self::OtherOrganization => &codes::AUTH_SSO_REQUIRED,
            Self::Provider { .. } => &codes::SSO_PROVIDER_UNUSABLE,
            Self::Changed => &codes::CONFLICT,
            Self::Unknown(_) => &codes::NOT_FOUND,
            Self::DomainPublic => &codes::SSO_DOMAIN_PUBLIC,
            Self::DomainUnproven(_) => &codes::SSO_DOMAIN_UNPROVEN,
            Self::DomainTaken => &codes::SSO_DOMAIN_TAKEN,
            Self::NotConfigured
            | Self::TooMany(_)
            | Self::DomainUnverified
            | Self::OwnerWithoutFactor
            | Self::LockedOut => &codes::PRECONDITION_FAILED,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Failed(trace) => Cow::Owned(format!(
                "The login did not work. Your administrator finds the reason under {trace}."
            )),
            Self::OtherOrganization => {
                Cow::Borrowed("Log in to this organization anew; this session is not good for it.")
            }
            Self::NotConfigured => Cow::Borrowed(
                "Single sign-on is not set up on this installation; its operator sets `sso.public_url`.",
            ),
            Self::Provider { problem, .. } => Cow::Owned(problem.clone()),
            Self::TooMany(what) => {
                Cow::Owned(format!("There are too many {what}; remove one first."))
            }
            Self::DomainUnproven(found) => Cow::Owned(found.clone()),
            Self::DomainUnverified => {
                Cow::Borrowed("The domain is not verified yet: publish its DNS record first.")
            }
            Self::OwnerWithoutFactor => Cow::Borrowed(
                "Set up a second factor first: while the provider is broken, an owner logs in with the password and that.",
            ),
            Self::LockedOut => Cow::Borrowed(
                "Single sign-on is required, so a verified domain must lead to a connection that is enabled. Connect one, or give the requirement up first.",
            ),
            _ => Cow::Borrowed(self.code().title),
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        match self {
            Self::Provider { field, problem } => vec![FieldViolation::new(*field, problem.clone())],
            _ => Vec::new(),
        }
    }
}
