//! At most one process does a piece of work, by a lock that its connection holds.
//!
//! The lock is an optimisation: when a connection is lost, another process may begin before this one notices, so what a
//! leader does must be harmless when two do it. It needs a direct connection or session pooling.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::{Db, DbError, advisory, deadline::within};

/// Holds the lock. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Leader {
    connection: PgConnection,
    deadline: Duration,
}

impl Leader {
    /// Becomes the leader of `work` in this schema, unless somebody else is. Ask again after a second or so.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn try_elect(db: &Db, work: &str) -> Result<Option<Self>, DbError> {
        let key = advisory::key(db.schema(), work);
        let elect = async {
            let mut connection = db.dedicated(work).connect().await?;
            let elected = advisory::try_lock(&mut connection, key).await?;
            Ok::<_, sqlx::Error>((connection, elected))
        };
        let (connection, elected) = within(db.deadline(), elect).await?;
        Ok(elected.then(|| Self {
            connection,
            deadline: db.deadline(),
        }))
    }

    /// Proves that the lock is still held. Call it before each piece of work; after an error, stop and be elected anew.
    ///
    /// # Errors
    /// When the connection is gone, and with it the lock.
    pub async fn confirm(&mut self) -> Result<(), DbError> {
        within(self.deadline, self.connection.ping()).await
    }

    /// Gives the lock back and waits until that is done.
    ///
    /// # Errors
    /// When the connection was gone already.
    pub async fn resign(self) -> Result<(), DbError> {
        within(self.deadline, self.connection.close()).await
    }
}
