//! What can go wrong with a call, sorted by the one question that matters afterwards: can the
//! other side have seen it?

use std::{error::Error as StdError, io, time::Duration};

use errors::{Classify, Code, codes};
use http::StatusCode;

use crate::guard::Refused;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A failed call. Neither variant carries the URL's path or query: those hold tokens.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The other side cannot have seen the request; repeating it is safe.
    #[error("{peer}: {operation} was not sent: {reason}")]
    NotSent {
        /// The client's name.
        peer: &'static str,
        /// The call's name.
        operation: &'static str,
        /// What stopped it.
        reason: NotSent,
        /// The transport's own words.
        #[source]
        source: Option<BoxError>,
    },
    /// The request may have been seen, and even acted upon.
    #[error("{peer}: the outcome of {operation} is unknown: {reason}")]
    Unknown {
        /// The client's name.
        peer: &'static str,
        /// The call's name.
        operation: &'static str,
        /// What hid the outcome.
        reason: Unknown,
        /// The transport's own words.
        #[source]
        source: Option<BoxError>,
    },
}

/// Why a request surely did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The name has no address.
    #[error("the name could not be resolved")]
    Dns,
    /// Nobody listens, or no route.
    #[error("the connection was refused")]
    Connect,
    /// The handshake failed, so no request byte was written.
    #[error("the TLS handshake failed")]
    Tls,
    /// No connection within the connect timeout.
    #[error("connecting took too long")]
    ConnectTimeout,
    /// The breaker holds calls back.
    #[error("the circuit is open")]
    CircuitOpen {
        /// When a probe will be let through.
        retry_after: Duration,
    },
    /// The address is not one a tenant may name.
    #[error("the address is refused: {0}")]
    Refused(#[from] Refused),
    /// The request could not be built: a bug of ours or unusable input.
    #[error("the request is not valid")]
    Invalid,
}

/// Why nobody can say whether the request was acted upon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// The call's deadline passed.
    #[error("the deadline passed")]
    Deadline,
    /// The connection broke after the request may have been written.
    #[error("the connection was lost")]
    ConnectionLost,
    /// The answer began and did not end.
    #[error("the answer ({status}) was cut off")]
    BodyCut {
        /// The answer's status.
        status: StatusCode,
    },
    /// The answer is larger than the caller is ready to hold.
    #[error("the answer ({status}) is over {limit} bytes")]
    BodyTooLarge {
        /// The answer's status.
        status: StatusCode,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The answer is not what the protocol says.
    #[error("the answer ({status}) could not be read")]
    Undecodable {
        /// The answer's status.
        status: StatusCode,
    },
}

/// Where a call was made from, for the error text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) peer: &'static str,
    pub(crate) operation: &'static str,
}

impl At {
    pub(crate) fn not_sent(self, reason: NotSent, source: Option<BoxError>) -> Error {
        Error::NotSent {
            peer: self.peer,
            operation: self.operation,
            reason,
            source,
        }
    }

    pub(crate) fn unknown(self, reason: Unknown, source: Option<BoxError>) -> Error {
        Error::Unknown {
            peer: self.peer,
            operation: self.operation,
            reason,
            source,
        }
    }

    /// Sorts a failure to get an answer. Only what the transport itself calls a failure to connect
    /// counts as not sent; everything later may have left the machine.
    pub(crate) fn transport(self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        if let Some(refused) = find::<Refused>(&error) {
            let refused = refused.clone();
            return self.not_sent(NotSent::Refused(refused), None);
        }
        if error.is_builder() {
            return self.not_sent(NotSent::Invalid, Some(error.into()));
        }
        if !error.is_connect() {
            return self.unknown(Unknown::ConnectionLost, Some(error.into()));
        }
        let reason = if error.is_timeout() {
            NotSent::ConnectTimeout
        } else if error.is_dns() {
            NotSent::Dns
        } else if find::<rustls::Error>(&error).is_some() || ended_in_handshake(&error) {
            NotSent::Tls
        } else {
            NotSent::Connect
        };
        self.not_sent(reason, Some(error.into()))
    }
}

impl Error {
    /// Whether the request surely never reached the other side, so that repeating it can't double
    /// an effect.
    pub const fn is_surely_not_sent(&self) -> bool {
        matches!(self, Self::NotSent { .. })
    }

    /// How long the breaker will hold further calls back, if that is what happened.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotSent {
                reason: NotSent::CircuitOpen { retry_after },
                ..
            } => Some(*retry_after),
            _ => None,
        }
    }

    /// A low-cardinality name for metrics and spans.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::NotSent { reason, .. } => match reason {
                NotSent::Dns => "dns",
                NotSent::Connect => "connect",
                NotSent::Tls => "tls",
                NotSent::ConnectTimeout => "connect_timeout",
                NotSent::CircuitOpen { .. } => "circuit_open",
                NotSent::Refused(_) => "address_refused",
                NotSent::Invalid => "invalid",
            },
            Self::Unknown { reason, .. } => match reason {
                Unknown::Deadline => "deadline",
                Unknown::ConnectionLost => "connection_lost",
                Unknown::BodyCut { .. } => "body_cut",
                Unknown::BodyTooLarge { .. } => "body_too_large",
                Unknown::Undecodable { .. } => "undecodable",
            },
        }
    }
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotSent { reason, .. } => match reason {
                NotSent::Invalid => &codes::INTERNAL,
                NotSent::Refused(_) => &codes::REQUEST_INVALID,
                NotSent::Dns
                | NotSent::Connect
                | NotSent::Tls
                | NotSent::ConnectTimeout
                | NotSent::CircuitOpen { .. } => &codes::UNAVAILABLE,
            },
            Self::Unknown { reason, .. } => match reason {
                Unknown::Deadline => &codes::TIMEOUT,
                Unknown::ConnectionLost
                | Unknown::BodyCut { .. }
                | Unknown::BodyTooLarge { .. }
                | Unknown::Undecodable { .. } => &codes::UNAVAILABLE,
            },
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        Self::retry_after(self)
    }
}

/// The errors of a chain, outermost first. An `io::Error` that wraps another error leaves it out of
/// its own `source`, so those are opened by hand.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |current| {
        let current: &'e (dyn StdError + 'static) = *current;
        let wrapped = current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => current.source(),
        }
    })
}

fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    causes(error).find_map(|cause| cause.downcast_ref::<T>())
}

/// Once TCP is connected, whatever breaks before the end of connecting broke in the handshake: a
/// server that hangs up shows as an early end of file or as a reset.
fn ended_in_handshake(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|io| {
            matches!(
                io.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
            )
        })
}
