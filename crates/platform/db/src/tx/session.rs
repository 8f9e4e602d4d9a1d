//! One connection during one transaction.
//!
//! `sqlx::Transaction` is not used because of two faults that matter here. A `begin` whose future is dropped half-way
//! leaves an open transaction on a pooled connection, and a connection that died in the pool fails the first request
//! that gets it. Here the first closes the connection, and the second takes another one.

use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr, pool::PoolConnection,
    postgres::PgTransactionManager,
};
use sqlx_core::transaction::TransactionManager;

use crate::{Db, DbError, deadline::within};

/// PostgreSQL answers the COMMIT of an aborted transaction with a polite ROLLBACK, which the driver can't tell from
/// success. An empty query before it, in the same message, fails instead: somebody swallowed an error to get here.
const COMMIT: &str = "select; commit";

#[derive(Debug)]
pub(super) struct Session {
    db: Db,
    connection: PoolConnection<Postgres>,
    open: bool,
}

impl Session {
    /// `statement` is `begin` and the settings of the transaction in one message.
    pub(super) async fn begin(db: &Db, pool: &PgPool, statement: String) -> Result<Self, DbError> {
        let statement = AssertSqlSafe(statement).into_sql_str();
        Ok(Self {
            db: db.clone(),
            connection: within(db.deadline(), open(pool, &statement)).await?,
            open: true,
        })
    }

    pub(super) fn conn(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        let commit = sqlx::raw_sql(COMMIT).execute(&mut *self.connection);
        match tokio::time::timeout(self.db.deadline(), commit).await {
            Ok(Ok(_done)) => {
                self.open = false;
                Ok(())
            }
            Ok(Err(error)) => Err(unless_refused(error)),
            Err(_) => {
                // It may hang on a dead network; the pool must not wait for it.
                self.connection.close_on_drop();
                Err(DbError::CommitUnknown(None))
            }
        }
    }
}

/// The server said no, so nothing was committed; with anything else its answer is missing.
fn unless_refused(error: sqlx::Error) -> DbError {
    if error.as_database_error().is_some() {
        error.into()
    } else {
        DbError::commit_unknown(error)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.open {
            // Only queued: it is sent when the connection returns to the pool.
            PgTransactionManager::start_rollback(&mut self.connection);
        }
    }
}

/// A connection on which `begin` is under way. Unless it is known to have happened, nobody else may get it.
struct Opening(Option<PoolConnection<Postgres>>);

impl Opening {
    async fn begin(mut self, statement: SqlStr) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        const KEPT: &str = "taken out only when begun";
        let connection = self.0.as_mut().expect(KEPT);
        if PgTransactionManager::get_transaction_depth(connection) == 0 {
            PgTransactionManager::begin(connection, Some(statement)).await?;
        } else {
            // The driver did not see our COMMIT and counts on. The count has one use here: as long as it is not zero, a
            // ROLLBACK can be queued.
            sqlx::raw_sql(statement).execute(&mut **connection).await?;
        }
        Ok(self.0.take().expect(KEPT))
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

async fn open(pool: &PgPool, statement: &SqlStr) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    // At worst every idle connection has died, and the one after them is new.
    let mut stale = pool.options().get_max_connections();
    loop {
        #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
        let opening = Opening(Some(pool.acquire().await?));
        match opening.begin(statement.clone()).await {
            Err(error) if stale > 0 && is_stale(&error) => stale -= 1,
            outcome => return outcome,
        }
    }
}

/// The connection was closed while it was idle: by the network, or by a server that stopped (`admin_shutdown`,
/// `crash_shutdown`) or ended an idle session.
fn is_stale(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => matches!(
            error.code().as_deref(),
            Some("57P01" | "57P02" | "57P05" | "25P03")
        ),
        _ => false,
    }
}
