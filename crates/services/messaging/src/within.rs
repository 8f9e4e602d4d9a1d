//! No pass of a loop is endless. The server ends a statement, but of a network that swallows everything
//! nobody tells the client: without a deadline of its own a loop would wait for ever.

use std::time::Duration;

use db::DbError;

use crate::error::Error;

/// Longer than any pass that still makes progress.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

/// What the pass came to, or the database's timeout. Its transaction is rolled back, unless its commit
/// was under way: then nobody knows, as with any lost answer.
pub(crate) fn within<T>(
    pass: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<T, Error>> {
    within_limit(LIMIT, pass)
}

/// The same with another limit, for a pass that asks others than the database.
pub(crate) fn within_limit<T>(
    limit: Duration,
    pass: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<T, Error>> {
    // Boxed before anything else holds it: futures of transactions are large.
    let pass = Box::pin(pass);
    async move {
        match tokio::time::timeout(limit, pass).await {
            Ok(done) => done,
            Err(_) => Err(Error::Db(DbError::Timeout(None))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pass_that_hears_nothing_gives_up() {
        let silent = std::future::pending::<Result<(), Error>>();
        let ended = within(silent).await;
        assert!(matches!(ended, Err(Error::Db(DbError::Timeout(None)))));
    }
}
