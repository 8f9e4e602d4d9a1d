//! Kind → gRPC code → HTTP status: the only such table. A [`Code`](crate::Code) may name a more exact HTTP status.

use http::StatusCode;

/// How a failure is answered and whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request itself is wrong; sending it again is pointless.
    Invalid,
    /// Nobody, or nobody any more, is logged in.
    Unauthenticated,
    /// Known caller, missing permission.
    Forbidden,
    /// It does not exist, or belongs to another tenant: callers can't tell which.
    NotFound,
    /// What should be created is there.
    AlreadyExists,
    /// Somebody else changed it first; read again and retry.
    Conflict,
    /// The state does not allow it.
    Precondition,
    /// A plan's quota is used up.
    LimitReached,
    /// Too fast; try again later.
    RateLimited,
    /// A dependency is down; try again.
    Unavailable,
    /// No answer in time; try again.
    Timeout,
    /// A bug or a broken invariant.
    Internal,
}

impl Kind {
    /// Every kind, for tests and generated documents.
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Precondition,
        Self::LimitReached,
        Self::RateLimited,
        Self::Unavailable,
        Self::Timeout,
        Self::Internal,
    ];

    /// The gRPC code.
    pub const fn grpc(self) -> tonic::Code {
        match self {
            Self::Invalid => tonic::Code::InvalidArgument,
            Self::Unauthenticated => tonic::Code::Unauthenticated,
            Self::Forbidden => tonic::Code::PermissionDenied,
            Self::NotFound => tonic::Code::NotFound,
            Self::AlreadyExists => tonic::Code::AlreadyExists,
            Self::Conflict => tonic::Code::Aborted,
            Self::Precondition => tonic::Code::FailedPrecondition,
            Self::LimitReached | Self::RateLimited => tonic::Code::ResourceExhausted,
            Self::Unavailable => tonic::Code::Unavailable,
            Self::Timeout => tonic::Code::DeadlineExceeded,
            Self::Internal => tonic::Code::Internal,
        }
    }

    /// The HTTP status of the problem document, unless the code has its own.
    pub const fn http(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::LimitReached => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::AlreadyExists | Self::Conflict | Self::Precondition => StatusCode::CONFLICT,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same request may succeed later without a change.
    pub const fn retryable(self) -> bool {
        match self {
            Self::Conflict | Self::RateLimited | Self::Unavailable | Self::Timeout => true,
            Self::Invalid
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::AlreadyExists
            | Self::Precondition
            | Self::LimitReached
            | Self::Internal => false,
        }
    }
}
