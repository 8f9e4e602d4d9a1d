//! Calls that must not happen twice. The key's row is written in the transaction of the effect: a concurrent duplicate
//! waits on it and then reads the saved answer; a failed call takes it away again when it rolls back.

use std::{borrow::Cow, fmt, time::Duration};

use errors::{Classify, Code, FieldViolation, codes};
use ids::OrganizationId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{AsTx, DbError, Schema, statement::Statement};

/// How long an answer is kept. Retries of programs end within a day; people come back the next morning.
pub const KEPT_FOR: Duration = Duration::from_hours(48);

/// The longest key a caller may choose, in bytes.
pub const KEY_LENGTH: usize = 255;

#[derive(Debug)]
pub(crate) struct Sql {
    begin: Statement,
    find: Statement,
    store: Statement,
}

impl Sql {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            begin: Statement::new(
                schema,
                "insert into {schema}.idempotency_keys as k
                     (organization_id, operation, key, request_hash, created_at, expires_at)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (organization_id, operation, key) do update
                 set request_hash = excluded.request_hash, response = null,
                     created_at = excluded.created_at, expires_at = excluded.expires_at
                 where k.expires_at <= excluded.created_at
                 returning true",
            ),
            find: Statement::new(
                schema,
                "select request_hash, response from {schema}.idempotency_keys
                 where organization_id = $1 and operation = $2 and key = $3",
            ),
            store: Statement::new(
                schema,
                "update {schema}.idempotency_keys set response = $4
                 where organization_id = $1 and operation = $2 and key = $3",
            ),
        }
    }
}

/// The fingerprint of a request: the same key with another fingerprint is a caller's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestHash([u8; 32]);

impl RequestHash {
    /// The fingerprint of an encoded request.
    pub fn of(request: &[u8]) -> Self {
        Self(Sha256::digest(request).into())
    }
}

/// What to do with a call.
pub enum Outcome {
    /// It is the first with this key: do it, and give the answer to the guard.
    New(Guard),
    /// It was done before, with this answer.
    Replay(Vec<u8>),
}

/// Without the answer: it may hold what a customer wrote.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(guard) => f.debug_tuple("New").field(guard).finish(),
            Self::Replay(answer) => write!(f, "Replay({} bytes)", answer.len()),
        }
    }
}

/// The promise to save an answer before the transaction commits.
#[derive(Debug)]
#[must_use = "a committed key without an answer refuses every repetition"]
pub struct Guard {
    organization_id: Uuid,
    operation: &'static str,
    key: String,
}

/// Why a call with a key can't go on.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The key is empty or too long.
    #[error("the idempotency key must have 1 to {KEY_LENGTH} bytes")]
    KeyInvalid,
    /// The key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The first call committed without saving its answer: a bug of the operation.
    #[error("operation {operation} committed without saving its answer")]
    AnswerMissing {
        /// The operation.
        operation: &'static str,
    },
    /// The database failed.
    #[error("use the idempotency key")]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for IdempotencyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl Classify for IdempotencyError {
    fn code(&self) -> &'static Code {
        match self {
            Self::KeyInvalid => &codes::REQUEST_INVALID,
            Self::KeyReused => &codes::IDEMPOTENCY_KEY_REUSED,
            Self::AnswerMissing { .. } => &codes::INTERNAL,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Db(error) => error.detail(),
            _ => Cow::Borrowed(self.code().title),
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        match self {
            Self::KeyInvalid => vec![FieldViolation::new(
                "Idempotency-Key",
                format!("Choose a key of 1 to {KEY_LENGTH} bytes, such as a random UUID."),
            )],
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// Starts a call. The key belongs to the transaction's organization and the operation; in a `SystemTx` it belongs to
/// the operation alone, for what happens before there is a tenant.
///
/// Only final answers may be stored: an error that a retry can cure must roll back.
///
/// # Errors
/// [`IdempotencyError::KeyReused`] when the key came with another request; see the other variants.
#[tracing::instrument(name = "db.idempotency_keys.insert", skip_all, fields(operation))]
pub async fn begin(
    tx: &mut impl AsTx,
    operation: &'static str,
    key: &str,
    request: RequestHash,
) -> Result<Outcome, IdempotencyError> {
    if key.is_empty() || key.len() > KEY_LENGTH {
        return Err(IdempotencyError::KeyInvalid);
    }
    let organization_id = tx.tenant().map_or(Uuid::nil(), OrganizationId::as_uuid);
    let now = tx.db().clock().now();
    let (insert, find) = {
        let sql = &tx.db().sql().idempotency;
        (sql.begin.clone(), sql.find.clone())
    };
    let first: Option<bool> = insert
        .scalar()
        .bind(organization_id)
        .bind(operation)
        .bind(key)
        .bind(request.0)
        .bind(now)
        .bind(clock::later(now, KEPT_FOR))
        .fetch_optional(tx.conn())
        .await?;
    if first.is_some() {
        return Ok(Outcome::New(Guard {
            organization_id,
            operation,
            key: key.to_owned(),
        }));
    }
    // A statement of its own: the first one's snapshot is older than the row that it waited for.
    let (hash, response): (Vec<u8>, Option<Vec<u8>>) = find
        .rows()
        .bind(organization_id)
        .bind(operation)
        .bind(key)
        .fetch_one(tx.conn())
        .await?;
    if hash != request.0 {
        return Err(IdempotencyError::KeyReused);
    }
    response
        .map(Outcome::Replay)
        .ok_or(IdempotencyError::AnswerMissing { operation })
}

impl Guard {
    /// Saves the answer; it becomes visible with the transaction's commit.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.idempotency_keys.update", skip_all, fields(operation = self.operation))]
    pub async fn store(self, tx: &mut impl AsTx, response: &[u8]) -> Result<(), DbError> {
        let store = tx.db().sql().idempotency.store.clone();
        let updated = store
            .query()
            .bind(self.organization_id)
            .bind(self.operation)
            .bind(self.key)
            .bind(response)
            .execute(tx.conn())
            .await?
            .rows_affected();
        if updated == 1 {
            Ok(())
        } else {
            // Only with a transaction other than the one that began.
            Err(DbError::inconsistent(
                "idempotency_keys",
                "key",
                self.operation,
            ))
        }
    }
}
