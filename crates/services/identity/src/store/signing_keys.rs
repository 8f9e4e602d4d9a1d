//! Keys that sign tokens, sealed.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    AccessTokens,
    RefreshTokens,
}

impl Signs {
    pub(crate) const ALL: [Self; 2] = [Self::AccessTokens, Self::RefreshTokens];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokens => "access_tokens",
            Self::RefreshTokens => "refresh_tokens",
        }
    }
}

/// A sealed key.
#[derive(Debug, Clone)]
pub(crate) struct SealedKey {
    pub(crate) id: String,
    pub(crate) signs: Signs,
    pub(crate) secret: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) active_at: DateTime<Utc>,
}

/// Keys whose tokens can still be valid, oldest first.
#[tracing::instrument(name = "db.signing_keys.list", skip_all)]
pub(crate) async fn list(tx: &mut SystemTx, now: DateTime<Utc>) -> Result<Vec<SealedKey>, DbError> {
    let rows = sqlx::query!(
        "select id, signs, secret, created_at, active_at
         from identity.signing_keys
         where retired_at is null or retired_at > $1
         order by active_at, id",
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SealedKey {
                signs: Signs::ALL
                    .into_iter()
                    .find(|signs| signs.as_str() == row.signs)
                    .ok_or_else(|| DbError::inconsistent("signing_keys", "signs", &row.id))?,
                id: row.id,
                secret: row.secret,
                created_at: row.created_at,
                active_at: row.active_at,
            })
        })
        .collect()
}

/// Keeps every other process from adding keys until the transaction ends; readers go on.
#[tracing::instrument(name = "db.signing_keys.lock", skip_all)]
pub(crate) async fn lock_table(tx: &mut SystemTx) -> Result<(), DbError> {
    sqlx::query!("lock table identity.signing_keys in share row exclusive mode")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// When the newest key of its kind was made.
#[tracing::instrument(name = "db.signing_keys.select", skip_all)]
pub(crate) async fn find_newest(
    tx: &mut SystemTx,
    signs: Signs,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let newest = sqlx::query_scalar!(
        "select max(created_at) from identity.signing_keys where signs = $1 and retired_at is null",
        signs.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(newest)
}

/// Adds a key and retires those before it: nothing they signed is valid after `retire_others_at`.
#[tracing::instrument(name = "db.signing_keys.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut SystemTx,
    key: &SealedKey,
    retire_others_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.signing_keys set retired_at = $2 where signs = $1 and retired_at is null",
        key.signs.as_str(),
        retire_others_at,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into identity.signing_keys (id, signs, secret, created_at, active_at) values ($1, $2, $3, $4, $5)",
        key.id,
        key.signs.as_str(),
        key.secret,
        key.created_at,
        key.active_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes keys that were retired before `before`.
#[tracing::instrument(name = "db.signing_keys.delete", skip_all)]
pub(crate) async fn delete_retired(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.signing_keys where retired_at < $1",
        before
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
