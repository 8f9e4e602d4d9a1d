//! Our own services and operators' programs.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};

/// The stored hash of a client's secret.
#[tracing::instrument(name = "db.service_clients.select", skip_all)]
pub(crate) async fn find_secret_hash(
    tx: &mut SystemTx,
    name: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    let hash = sqlx::query_scalar!(
        "select secret_hash from identity.service_clients where name = $1",
        name
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(hash)
}

/// Makes the stored clients the given ones: new ones come, changed secrets change, missing ones go.
#[tracing::instrument(name = "db.service_clients.replace", skip_all)]
pub(crate) async fn replace(
    tx: &mut SystemTx,
    names: &[String],
    hashes: &[Vec<u8>],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.service_clients where name <> all($1)",
        names
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into identity.service_clients (name, secret_hash, created_at, changed_at)
         select name, secret_hash, $3, $3 from unnest($1::text[], $2::bytea[]) c(name, secret_hash)
         order by name
         on conflict (name) do update set secret_hash = excluded.secret_hash, changed_at = excluded.changed_at
         where service_clients.secret_hash <> excluded.secret_hash",
        names,
        hashes,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
