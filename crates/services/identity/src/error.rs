//! What can go wrong in an operation.

use std::{borrow::Cow, time::Duration};

use auth::SignError;
use db::{DbError, page::PageTokenInvalid};
use errors::{Classify, Code, FieldViolation, codes};

/// An operation of identity failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("use the database")]
    Db(#[from] DbError),
    /// A signing key can't be sealed or opened.
    #[error("seal or open a signing key")]
    Vault(#[from] vault::Error),
    /// There is no key to sign with.
    #[error("there is no active key that signs {0}")]
    NoKey(&'static str),
    /// An access token can't be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The caller is not who or what it must be.
    #[error("admit the caller")]
    Caller(#[from] auth::Error),
    /// A page token of another list.
    #[error(transparent)]
    PageToken(#[from] PageTokenInvalid),
    /// All hashing places are taken and the queue is full.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// A password can't be hashed or a stored hash can't be read: a bug.
    #[error("hash a password")]
    Hash(#[source] argon2::password_hash::Error),
    /// Unknown address, wrong password, or a person without an organization: nobody learns which.
    #[error("the address or the password is wrong")]
    Credentials,
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
    /// A key may not do more than who makes it.
    #[error("the key would have more power than its maker")]
    MorePower,
    /// Programs have no session to end.
    #[error("the caller has no session")]
    NoSession,
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
            Self::Caller(error) => error.code(),
            Self::PageToken(error) => error.code(),
            Self::NoKey(_) | Self::Sign(_) | Self::Hash(_) => &codes::INTERNAL,
            Self::Busy => &codes::AUTH_BUSY,
            Self::Credentials => &codes::AUTH_CREDENTIALS_WRONG,
            Self::RefreshToken => &codes::AUTH_REFRESH_INVALID,
            Self::Client => &codes::AUTH_CLIENT_WRONG,
            Self::ApiKey => &codes::AUTH_API_KEY_INVALID,
            Self::EmailTaken => &codes::EMAIL_TAKEN,
            Self::ApiKeyUnknown => &codes::NOT_FOUND,
            Self::Scopes(_) => &codes::API_KEY_SCOPE_UNKNOWN,
            Self::MorePower => &codes::AUTH_FORBIDDEN,
            Self::NoSession => &codes::PRECONDITION_FAILED,
            Self::Field { .. } => &codes::REQUEST_INVALID,
        }
    }

    fn inner(&self) -> Option<&dyn Classify> {
        match self {
            Self::Db(error) => Some(error),
            Self::Vault(error) => Some(error),
            Self::Caller(error) => Some(error),
            Self::PageToken(error) => Some(error),
            _ => None,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::MorePower => Cow::Borrowed(
                "A key can't do more than who creates it: choose a lesser role or scopes.",
            ),
            Self::NoSession => Cow::Borrowed("Only people have sessions; revoke the key instead."),
            Self::Field { .. } => Cow::Owned(self.to_string()),
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
            Self::Field { field, problem } => vec![FieldViolation::new(*field, *problem)],
            _ => self.inner().map_or_else(Vec::new, Classify::fields),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(2)),
            _ => self.inner()?.retry_after(),
        }
    }
}
