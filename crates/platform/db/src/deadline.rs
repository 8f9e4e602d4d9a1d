//! No wait for the server is endless, not even on a network that swallows everything.

use std::time::Duration;

use crate::DbError;

/// The answer, or [`DbError::Timeout`] after `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(DbError::Timeout(None)),
    }
}
