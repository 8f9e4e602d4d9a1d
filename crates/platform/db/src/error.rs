//! Database failures, sorted by what a caller can do about them.

use std::{borrow::Cow, fmt, time::Duration};

use errors::{Classify, Code, codes};
use sqlx::error::ErrorKind;

use crate::SchemaNameInvalid;

/// Why a statement or a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection, or the server is starting, stopping, full or read-only. Nothing was changed by the statement.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// A deadline passed: of the statement, of an idle transaction or of the transaction's start.
    #[error("the database did not answer in time")]
    Timeout(#[source] Option<Cause>),
    /// The commit was sent and its answer is missing: it may have happened.
    #[error("the commit was not confirmed")]
    CommitUnknown(#[source] Option<Cause>),
    /// Deadlock, serialization failure, or a lock that somebody else held for too long.
    #[error("a concurrent transaction was in the way")]
    Conflict(#[source] Cause),
    /// A constraint refused the row. The operation that knows its name turns it into an error of its domain.
    #[error("constraint `{name}` of table `{table}` refused the row")]
    Constraint {
        /// The constraint's or index's name; the column's for a missing value.
        name: String,
        /// The table, without its schema.
        table: String,
        /// What it guards.
        kind: ConstraintKind,
    },
    /// A text holds U+0000, which PostgreSQL can't store. It comes from whoever sent the text.
    #[error("a text contains a character that cannot be stored")]
    Unstorable(#[source] Cause),
    /// An earlier statement of the transaction failed, and its error was dropped; nothing can be committed any more.
    #[error("an earlier error has aborted the transaction")]
    Aborted,
    /// A stored value that can't be there.
    #[error("`{table}.{column}` of row {key} holds a value that can't be there")]
    Inconsistent {
        /// The table, without its schema.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's primary key.
        key: String,
    },
    /// A bug: bad SQL, a missing permission, a value of the wrong type.
    #[error("the statement failed")]
    Statement(#[source] Cause),
}

/// What a constraint guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Two rows would have the same key.
    Unique,
    /// The row points at nothing, or something still points at it.
    ForeignKey,
    /// A condition on the row's values.
    Check,
    /// A value is missing.
    NotNull,
    /// Two rows would overlap.
    Exclusion,
}

/// The driver's error, without the rows and values that PostgreSQL quotes in its details: those are tenants' data, and
/// errors are logged.
pub struct Cause(sqlx::Error);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.0.as_database_error() else {
            return self.0.fmt(f);
        };
        let state = error.code().unwrap_or(Cow::Borrowed("?????"));
        // Class 22, data exceptions: the message itself repeats the value.
        if state.starts_with("22") {
            write!(f, "SQLSTATE {state}")
        } else {
            write!(f, "{} (SQLSTATE {state})", error.message())
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Cause {}

impl DbError {
    /// The name of the constraint that refused the row.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether the same work may succeed in a new transaction. Not after [`DbError::CommitUnknown`]: the work may be
    /// done.
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Timeout(_) | Self::Conflict(_) => true,
            Self::CommitUnknown(_)
            | Self::Constraint { .. }
            | Self::Unstorable(_)
            | Self::Aborted
            | Self::Inconsistent { .. }
            | Self::Statement(_) => false,
        }
    }

    /// The connection was lost between a commit and its answer.
    pub(crate) const fn commit_unknown(error: sqlx::Error) -> Self {
        Self::CommitUnknown(Some(Cause(error)))
    }

    /// A stored value that does not convert.
    pub fn inconsistent(table: &'static str, column: &'static str, key: impl fmt::Display) -> Self {
        Self::Inconsistent {
            table,
            column,
            key: key.to_string(),
        }
    }
}

/// Sorting is all that happens here: what was attempted is said by the operation's own error.
impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(_) => from_server(error),
            // The pool also waits while the server refuses connections, so its timeout means "none to be had".
            E::Io(_)
            | E::Tls(_)
            | E::PoolTimedOut
            | E::PoolClosed
            | E::WorkerCrashed
            | E::BeginFailed => Self::Unavailable(Cause(error)),
            _ => Self::Statement(Cause(error)),
        }
    }
}

fn from_server(error: sqlx::Error) -> DbError {
    let Some(server) = error.as_database_error() else {
        return DbError::Statement(Cause(error));
    };
    let kind = match server.kind() {
        ErrorKind::UniqueViolation => Some(ConstraintKind::Unique),
        ErrorKind::ForeignKeyViolation => Some(ConstraintKind::ForeignKey),
        ErrorKind::CheckViolation => Some(ConstraintKind::Check),
        ErrorKind::NotNullViolation => Some(ConstraintKind::NotNull),
        ErrorKind::ExclusionViolation => Some(ConstraintKind::Exclusion),
        _ => None,
    };
    if let Some(kind) = kind {
        let column = || {
            server
                .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
                .and_then(sqlx::postgres::PgDatabaseError::column)
        };
        return DbError::Constraint {
            name: server
                .constraint()
                .or_else(column)
                .unwrap_or_default()
                .to_owned(),
            table: server.table().unwrap_or_default().to_owned(),
            kind,
        };
    }
    let state = server.code().unwrap_or_default().into_owned();
    let cause = Cause(error);
    match state.as_str() {
        // character_not_in_repertoire, untranslatable_character: our strings are UTF-8, so it is U+0000
        "22021" | "22P05" => DbError::Unstorable(cause),
        // in_failed_sql_transaction
        "25P02" => DbError::Aborted,
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => DbError::Conflict(cause),
        // query_canceled (the statement timeout), idle_in_transaction_session_timeout
        "57014" | "25P03" => DbError::Timeout(Some(cause)),
        // read_only_sql_transaction: a fail-over left us on a standby
        "25006" => DbError::Unavailable(cause),
        // connection exceptions, insufficient resources, operator intervention, system errors
        _ if ["08", "53", "57", "58"].contains(&state.get(..2).unwrap_or_default()) => {
            DbError::Unavailable(cause)
        }
        _ => DbError::Statement(cause),
    }
}

impl Classify for DbError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unavailable(_) => &codes::UNAVAILABLE,
            Self::Timeout(_) | Self::CommitUnknown(_) => &codes::TIMEOUT,
            Self::Conflict(_) => &codes::CONFLICT,
            Self::Unstorable(_) => &codes::REQUEST_INVALID,
            // A constraint that reaches this point is one that the operation did not expect.
            Self::Constraint { .. }
            | Self::Aborted
            | Self::Inconsistent { .. }
            | Self::Statement(_) => &codes::INTERNAL,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Unstorable(_) => {
                Cow::Borrowed("A text contains a character that cannot be stored (U+0000).")
            }
            _ => Cow::Borrowed(self.code().title),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Unavailable(_)).then_some(Duration::from_secs(1))
    }
}

/// Why a [`Db`](crate::Db) could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The service's schema has an impossible name.
    #[error(transparent)]
    SchemaName(#[from] SchemaNameInvalid),
    /// The configuration is wrong; each entry is one `field: sentence`.
    #[error("the database configuration is wrong: {}", .0.join("; "))]
    Config(Vec<String>),
    /// The role can't log in or the server can't be reached.
    #[error("connect as the {role} role")]
    Connect {
        /// `app` or `system`.
        role: &'static str,
        /// What happened.
        source: DbError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_a_free_connection_is_unavailable_and_may_be_retried() {
        let error = DbError::from(sqlx::Error::PoolTimedOut);
        assert!(error.retryable());
        assert_eq!(error.code(), &codes::UNAVAILABLE);
        assert!(error.retry_after().is_some());
    }

    #[test]
    fn a_lost_connection_is_unavailable_and_a_lost_commit_is_never_retried() {
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let error = DbError::from(sqlx::Error::Io(io));
        assert_eq!(error.code(), &codes::UNAVAILABLE);
        assert!(!DbError::CommitUnknown(None).retryable());
    }
}
