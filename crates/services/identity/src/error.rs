//! What can go wrong in an operation.

mod people;
mod sso;

use std::{borrow::Cow, time::Duration};

use auth::SignError;
use chrono::TimeDelta;
use db::{DbError, jobs::JobError, page::PageTokenInvalid};
use errors::{Classify, Code, FieldViolation, codes};

pub use people::PeopleError;
pub use sso::SsoError;

/// An operation of identity failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("use the database")]
    Db(#[from] DbError),
    /// A signing key can't be sealed or opened.
    #[error("seal or open a signing key")]
    Vault(#[from] vault::Error),
    /// A job can't be ended.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A template failed: a bug.
    #[error("write a letter")]
    Letter(#[source] askama::Error),
    /// There is no key to sign with.
    #[error("there is no active key that signs {0}")]
    NoKey(&'static str),
    /// An access token can't be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The caller is not who or what it must be.
    #[error("admit the caller")]
    Caller(#[from] auth::Error),
    /// Something about members, roles, teams, invitations or the organization.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// Something about single sign-on.
    #[error(transparent)]
    Sso(#[from] SsoError),
    /// A page token of another list.
    #[error(transparent)]
    PageToken(#[from] PageTokenInvalid),
    /// All hashing places are taken and the queue is full.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// A password can't be hashed or a stored hash can't be read: a bug.
    #[error("hash a password")]
    Hash(#[source] argon2::password_hash::Error),
    /// The threads that hash can't be started.
    #[error("start the threads that hash passwords")]
    HashThreads(#[source] rayon::ThreadPoolBuildError),
    /// A hash of the older system can't be read.
    #[error("read a hash of the older system")]
    OldHash(#[source] bcrypt::BcryptError),
    /// Too many wrong guesses; the next one may come after this.
    #[error("too many wrong guesses")]
    Throttled(TimeDelta),
    /// What is wrong with a password that would be guessed, as advice.
    #[error("the password would be guessed")]
    PasswordGuessable(String),
    /// A link that was used, replaced, never sent, or is too old.
    #[error("the link is not valid")]
    Link,
    /// A login that was not finished in time, or not begun by us.
    #[error("the login challenge is not valid")]
    Challenge,
    /// A wrong code of a second factor, or one that was used already.
    #[error("the code is wrong")]
    SecondFactor,
    /// A second factor is set up already.
    #[error("the account has a second factor")]
    MfaActive,
    /// There is no second factor.
    #[error("the account has no second factor")]
    MfaMissing,
    /// The organization wants a second factor, and the session has none.
    #[error("the organization wants a second factor")]
    FactorWanted,
    /// No such session of the caller.
    #[error("there is no such session")]
    SessionUnknown,
    /// Unknown address, wrong password, or a person without an organization: nobody learns which.
    #[error("the address or the password is wrong")]
    Credentials,
    /// Removed from the organization, or deactivated there.
    #[error("the person is no active member of the organization")]
    NotMember,
    /// Suspended, or being deleted.
    #[error("the organization is not active")]
    OrganizationInactive,
    /// Not a refresh token, or not any more.
    #[error("the refresh token is not valid")]
    RefreshToken,
    /// Unknown client, or a wrong secret.
    #[error("the client id or secret is wrong")]
    Client,
    /// Unknown, revoked or expired.
    #[error("the API key is not valid")]
    ApiKey,
    /// Somebody has the address already.
    #[error("the address is taken")]
    EmailTaken,
    /// No such key in this organization.
    #[error("there is no such API key")]
    ApiKeyUnknown,
    /// Scopes that are no permissions of the key's role, by their position.
    #[error("{} scopes are not permissions of the role", .0.len())]
    Scopes(Vec<usize>),
    /// A text that is not a network, by its position.
    #[error("network {0} of the key is not one")]
    Network(usize),
    /// Replaced, revoked or expired.
    #[error("the API key is not in use any more")]
    ApiKeyEnded,
    /// A key may not do more than who makes it.
    #[error("the key would have more power than its maker")]
    MorePower,
    /// Programs have no session to end.
    #[error("the caller has no session")]
    NoSession,
    /// As many directories as an organization may have.
    #[error("the organization has too many directories")]
    TooManyDirectories,
    /// A field of the request is wrong.
    #[error("`{field}` {problem}")]
    Field {
        /// Its JSON name.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Db(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Job(error) => error.code(),
            Self::Caller(error) => error.code(),
            Self::People(error) => error.code(),
            Self::Sso(error) => error.code(),
            Self::PageToken(error) => error.code(),
            Self::Letter(_)
            | Self::NoKey(_)
            | Self::Sign(_)
            | Self::Hash(_)
            | Self::HashThreads(_)
            | Self::OldHash(_) => &codes::INTERNAL,
            Self::Throttled(_) => &codes::AUTH_THROTTLED,
            Self::PasswordGuessable(_) => &codes::PASSWORD_GUESSABLE,
            Self::Link => &codes::LINK_INVALID,
            Self::Challenge => &codes::AUTH_CHALLENGE_INVALID,
            Self::SecondFactor => &codes::AUTH_CODE_WRONG,
            Self::MfaActive => &codes::MFA_ACTIVE,
            Self::MfaMissing => &codes::MFA_MISSING,
            Self::FactorWanted => &codes::AUTH_FACTOR_WANTED,
            Self::Busy => &codes::AUTH_BUSY,
            Self::Credentials => &codes::AUTH_CREDENTIALS_WRONG,
            Self::NotMember => &codes::AUTH_NOT_MEMBER,
            Self::OrganizationInactive => &codes::ORGANIZATION_INACTIVE,
            Self::RefreshToken => &codes::AUTH_REFRESH_INVALID,
            Self::Client => &codes::AUTH_CLIENT_WRONG,
            Self::ApiKey => &codes::AUTH_API_KEY_INVALID,
            Self::EmailTaken => &codes::EMAIL_TAKEN,
            Self::SessionUnknown | Self::ApiKeyUnknown => &codes::NOT_FOUND,
            Self::Scopes(_) => &codes::API_KEY_SCOPE_UNKNOWN,
            Self::MorePower => &codes::AUTH_FORBIDDEN,
            Self::NoSession | Self::ApiKeyEnded | Self::TooManyDirectories => {
                &codes::PRECONDITION_FAILED
            }
            Self::Field { .. } | Self::Network(_) => &codes::REQUEST_INVALID,
        }
    }

    fn inner(&self) -> Option<&dyn Classify> {
        match self {
            Self::Db(error) => Some(error),
            Self::Vault(error) => Some(error),
            Self::Job(error) => Some(error),
            Self::Caller(error) => Some(error),
            Self::People(error) => Some(error),
            Self::Sso(error) => Some(error),
            Self::PageToken(error) => Some(error),
            _ => None,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::MorePower => Cow::Borrowed(
                "A key can't do more than who creates it: choose a lesser role or scopes.",
            ),
            Self::TooManyDirectories => {
                Cow::Borrowed("An organization has at most 20 directories; disconnect one first.")
            }
            Self::ApiKeyEnded => {
                Cow::Borrowed("The key was replaced, was revoked or has expired; create a new one.")
            }
            Self::NoSession => Cow::Borrowed("Only people have sessions; revoke the key instead."),
            Self::Field { .. } => Cow::Owned(self.to_string()),
            Self::PasswordGuessable(advice) => {
                Cow::Owned(format!("The password would be guessed. {advice}"))
            }
            _ => match self.inner() {
                Some(inner) => inner.detail(),
                None => Cow::Borrowed(self.code().title),
            },
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        match self {
            Self::Scopes(positions) => positions
                .iter()
                .map(|position| {
                    FieldViolation::new(
                        format!("scopes[{position}]"),
                        "is not a permission of the role",
                    )
                })
                .collect(),
            Self::Network(position) => vec![FieldViolation::new(
                format!("networks[{position}]"),
                "is not a network such as 192.0.2.0/24",
            )],
            Self::Field { field, problem } => vec![FieldViolation::new(*field, *problem)],
            _ => self.inner().map_or_else(Vec::new, Classify::fields),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(2)),
            // Whole seconds, upwards: whoever comes then must not come too early.
            Self::Throttled(wait) => {
                let seconds = u64::try_from(wait.num_milliseconds())
                    .unwrap_or(0)
                    .div_ceil(1_000);
                Some(Duration::from_secs(seconds.max(1)))
            }
            _ => self.inner()?.retry_after(),
        }
    }
}
