//! What a service does with its database before it serves.

use std::pin::Pin;

use clock::Clock;
use sqlx::migrate::Migrator;

use crate::{ConnectError, Db, DbConfig, DbError, migrate};

/// Why a service can't start on its database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no way to it.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Its schema can't be compared with what this program needs.
    #[error("compare the schema")]
    Compare(#[source] DbError),
    /// The program is newer than the schema.
    #[error("the schema is behind: run `migrate` first ({})", .0.join(", "))]
    Behind(Vec<String>),
}

impl Db {
    /// [`connect`](Self::connect), and the proof that the schema has all migrations of `migrator`.
    ///
    /// # Errors
    /// [`OpenError::Behind`] names the migrations that are missing.
    pub async fn open(
        config: &DbConfig,
        schema: &'static str,
        clock: Clock,
        migrator: &Migrator,
    ) -> Result<Self, OpenError> {
        let db = Self::connect(config, schema, clock).await?;
        let pending = migrate::pending(&db, migrator)
            .await
            .map_err(OpenError::Compare)?;
        if pending.is_empty() {
            Ok(db)
        } else {
            Err(OpenError::Behind(pending))
        }
    }

    /// [`ping`](Self::ping) as a health probe: `deps.health.probe("db", db.probe())`.
    pub fn probe(
        &self,
    ) -> impl Fn() -> Pin<Box<dyn Future<Output = Result<(), DbError>> + Send>> + Send + Sync + 'static
    {
        let db = self.clone();
        move || {
            let db = db.clone();
            Box::pin(async move { db.ping().await })
        }
    }
}
