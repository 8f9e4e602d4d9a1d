//! Addresses that get no mail, and the key they are hashed under. Without a tenant: an address is a person's.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};

use crate::{domain::suppression::Reports, keys::AddressHash};

/// The sealed key.
#[tracing::instrument(name = "db.address_keys.select", skip_all)]
pub(crate) async fn find_key(tx: &mut SystemTx, id: &str) -> Result<Option<Vec<u8>>, DbError> {
    Ok(
        sqlx::query_scalar!("select secret from identity.address_keys where id = $1", id)
            .fetch_optional(tx.conn())
            .await?,
    )
}

/// Adds the sealed key, unless another replica was faster.
#[tracing::instrument(name = "db.address_keys.insert", skip_all)]
pub(crate) async fn insert_key(
    tx: &mut SystemTx,
    id: &str,
    secret: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.address_keys (id, secret, created_at) values ($1, $2, $3)
         on conflict (id) do nothing",
        id,
        secret,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds to what is known of an address. Whoever adds to several goes in the order of their hashes.
#[tracing::instrument(name = "db.mail_suppressions.upsert", skip_all)]
pub(crate) async fn add(
    tx: &mut SystemTx,
    address: &AddressHash,
    reports: &Reports,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.mail_suppressions as known (address_hash, bounced_at, complained_at, proved_at)
         values ($1, $2, $3, $4)
         on conflict (address_hash) do update
             set bounced_at = greatest(known.bounced_at, excluded.bounced_at),
                 complained_at = greatest(known.complained_at, excluded.complained_at),
                 proved_at = greatest(known.proved_at, excluded.proved_at)",
        address.as_bytes(),
        reports.bounced,
        reports.complained,
        reports.proved,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What is known of an address.
#[tracing::instrument(name = "db.mail_suppressions.select", skip_all)]
pub(crate) async fn find(tx: &mut SystemTx, address: &AddressHash) -> Result<Reports, DbError> {
    let known = sqlx::query_as!(
        Reports,
        "select bounced_at as bounced, complained_at as complained, proved_at as proved
         from identity.mail_suppressions where address_hash = $1",
        address.as_bytes(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(known.unwrap_or_default())
}

/// Deletes up to `batch` rows without a complaint whose times are all before `before`; how many.
#[tracing::instrument(name = "db.mail_suppressions.sweep", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.mail_suppressions where ctid = any(array(
             select ctid from identity.mail_suppressions
             where complained_at is null and greatest(bounced_at, proved_at) < $1
             order by greatest(bounced_at, proved_at) limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
