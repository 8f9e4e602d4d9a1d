//! Keys of advisory locks. A lock belongs to one database; its name, to one schema.

use sha2::{Digest, Sha256};
use sqlx::PgExecutor;

use crate::Schema;

/// Takes the lock for the session of `connection`, unless another session has it.
pub(crate) async fn try_lock(connection: impl PgExecutor<'_>, key: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(key)
        .fetch_one(connection)
        .await
}

/// The key of a named lock.
pub(crate) fn key(schema: Schema, name: &str) -> i64 {
    let digest = Sha256::digest(format!("switchboard:{schema}:{name}"));
    let mut key = [0; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(key)
}
