//! What can come of a call.

use std::{borrow::Cow, time::Duration};

use errors::{Classify, Code, codes};
use http::StatusCode;
use outbound::NotSent;

use super::rejection::Rejection;
use crate::codes::{Class, Scope};

/// Why a message was not accepted, sorted by whether it may be on its way all the same.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Surely not sent: no byte of the request has left.
    #[error("the message was not sent")]
    NotSent {
        /// Whether to try again.
        class: Class,
        /// What stopped it.
        #[source]
        source: outbound::Error,
    },
    /// Refused, and so not sent.
    #[error("WhatsApp refused the message")]
    Rejected(#[source] Box<Rejection>),
    /// Perhaps sent. Wait for a status with the message's mark before anything else.
    #[error("it is unknown whether the message was sent: {why}")]
    Unknown {
        /// Why that is unknown.
        why: Why,
        /// What happened to the answer.
        #[source]
        source: Option<outbound::Error>,
    },
}

/// Why nobody knows whether a message was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The answer is lost.
    #[error("there was no answer")]
    NoAnswer,
    /// The answer has a success status and no message id.
    #[error("the answer ({0}) could not be read")]
    UnreadableAnswer(StatusCode),
    /// WhatsApp reports an error that may come after the message was taken.
    #[error("{0}")]
    Reported(Box<Rejection>),
}

/// Why another call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer.
    #[error("WhatsApp could not be reached")]
    Unreachable(#[from] outbound::Error),
    /// An answer that says no.
    #[error("WhatsApp refused the call")]
    Rejected(#[from] Box<Rejection>),
    /// An answer without what it must have.
    #[error("the answer of WhatsApp could not be read")]
    Unreadable,
}

/// Why media could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The address is not one of Meta's: a token sent there would be stolen.
    #[error("the address of the media is not one of WhatsApp's")]
    HostNotAllowed,
    /// Addresses live five minutes: ask for a new one.
    #[error("the address of the media has expired")]
    Expired,
    /// The call failed.
    #[error("the media could not be fetched")]
    Failed(#[from] CallError),
}

impl SendError {
    pub(crate) fn from_rejection(rejection: Box<Rejection>) -> Self {
        match rejection.class {
            Class::Unknown => Self::Unknown {
                why: Why::Reported(rejection),
                source: None,
            },
            Class::RetryNow
            | Class::Backoff { .. }
            | Class::PairBackoff
            | Class::Wait
            | Class::Never => Self::Rejected(rejection),
        }
    }

    /// Whether and when to try again.
    pub const fn class(&self) -> Class {
        match self {
            Self::NotSent { class, .. } => *class,
            Self::Rejected(rejection) => rejection.class,
            Self::Unknown { .. } => Class::Unknown,
        }
    }

    /// What WhatsApp said, if it said something.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection)
            | Self::Unknown {
                why: Why::Reported(rejection),
                ..
            } => Some(rejection),
            Self::NotSent { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The pause asked for, by WhatsApp or by the circuit breaker.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotSent { source, .. } => source.retry_after(),
            Self::Rejected(rejection) => rejection.retry_after,
            Self::Unknown { .. } => None,
        }
    }
}

impl From<Box<Rejection>> for SendError {
    fn from(rejection: Box<Rejection>) -> Self {
        Self::from_rejection(rejection)
    }
}

impl From<outbound::Error> for SendError {
    fn from(source: outbound::Error) -> Self {
        let outbound::Error::NotSent { reason, .. } = &source else {
            return Self::Unknown {
                why: Why::NoAnswer,
                source: Some(source),
            };
        };
        let class = match reason {
            NotSent::Dns
            | NotSent::Connect
            | NotSent::Tls
            | NotSent::ConnectTimeout
            | NotSent::CircuitOpen { .. } => Class::Backoff {
                first: Duration::from_secs(1),
            },
            NotSent::Refused(_) | NotSent::Invalid => Class::Never,
        };
        Self::NotSent { class, source }
    }
}

impl Classify for CallError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unreachable(error) => error.code(),
            Self::Unreadable => &codes::UNAVAILABLE,
            Self::Rejected(rejection) => match (rejection.class, rejection.scope) {
                (Class::Backoff { .. } | Class::PairBackoff | Class::RetryNow, _) => {
                    &codes::RATE_LIMITED
                }
                (Class::Unknown, _) => &codes::UNAVAILABLE,
                (_, Scope::Credential) => &codes::CHANNEL_CREDENTIAL_REFUSED,
                (Class::Wait | Class::Never, _) => &codes::CHANNEL_UNAVAILABLE,
            },
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            // The hint for an unknown outcome speaks of a message, and here is none.
            Self::Rejected(rejection) if rejection.class != Class::Unknown => {
                Cow::Borrowed(rejection.hint)
            }
            Self::Rejected(_) | Self::Unreachable(_) | Self::Unreadable => {
                Cow::Borrowed(self.code().title)
            }
        }
    }

    /// Whoever calls too much always learns when to come back, even if Meta does not say it.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejection) => rejection.retry_after.or_else(|| rejection.class.delay(1)),
            Self::Unreachable(error) => error.retry_after(),
            Self::Unreadable => None,
        }
    }
}
