//! Hashes of passwords.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::UserId;
use secrecy::{ExposeSecret, SecretString};

/// A stored hash.
pub(crate) struct Password {
    pub(crate) hash: SecretString,
    pub(crate) changed_at: DateTime<Utc>,
}

#[tracing::instrument(name = "db.passwords.select", skip_all)]
pub(crate) async fn find(tx: &mut SystemTx, user_id: UserId) -> Result<Option<Password>, DbError> {
    let row = sqlx::query!(
        "select hash, changed_at from identity.passwords where user_id = $1",
        user_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Password {
        hash: SecretString::from(row.hash),
        changed_at: row.changed_at,
    }))
}

/// Another password.
#[tracing::instrument(name = "db.passwords.update", skip_all)]
pub(crate) async fn change(
    tx: &mut SystemTx,
    user_id: UserId,
    hash: &SecretString,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.passwords (user_id, hash, changed_at) values ($1, $2, $3)
         on conflict (user_id) do update set hash = excluded.hash, changed_at = excluded.changed_at",
        user_id.as_uuid(),
        hash.expose_secret(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A better hash of the same password, unless it was changed meanwhile.
#[tracing::instrument(name = "db.passwords.rehash", skip_all)]
pub(crate) async fn rehash(
    tx: &mut SystemTx,
    user_id: UserId,
    old: &SecretString,
    new: &SecretString,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.passwords set hash = $3 where user_id = $1 and hash = $2",
        user_id.as_uuid(),
        old.expose_secret(),
        new.expose_secret(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
