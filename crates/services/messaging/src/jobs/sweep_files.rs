//! Deletes files that no row names: of a process that was killed between keeping a file and saying so, of messages that
//! are gone, of organizations that are gone. And gives up uploads that nobody finished.

use std::{collections::HashMap, sync::Arc, time::Duration};

use blobs::{BlobError, Digest, Kept};
use chrono::{DateTime, TimeDelta, Utc};
use db::{Db, SystemTx};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use ids::OrganizationId;
use tokio_util::sync::CancellationToken;

use super::every;
use crate::{error::Error, outbound::Engine, store::media, within::within};

/// How long a file may be nobody's: what keeps it needs time to say so.
const GRACE: TimeDelta = TimeDelta::days(1);
const INTERVAL: Duration = Duration::from_hours(6);
/// Files of one look into the database.
const BATCH: usize = 500;
/// Files of one transaction: it is open while they are deleted.
const AT_A_TIME: usize = 20;
/// Rows of one transaction.
const ROWS: i64 = 500;

/// Looks every six hours until `stop`.
pub(crate) async fn run(engine: Arc<Engine>, stop: CancellationToken) {
    let giving_up = every(INTERVAL, stop.clone(), "abandon-media", || {
        abandon(&engine.db)
    });
    let sweeping = async {
        while !stop.is_cancelled() {
            if let Err(error) = pass(&engine, &stop).await {
                tracing::warn!(
                    job = "sweep-files",
                    error = errors::chain(&error),
                    "the job can't go on now"
                );
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    };
    tokio::join!(giving_up, sweeping);
}

/// One batch; true when there may be more.
pub(crate) async fn abandon(db: &Db) -> Result<bool, Error> {
    let before = db.clock().now() - GRACE;
    let mut tx = SystemTx::begin(db, "files that wait for nothing").await?;
    let given_up = media::abandon(tx.conn(), before, ROWS).await?;
    tx.commit().await?;
    Ok(given_up == ROWS.unsigned_abs())
}

/// Once through all files. It may be many: it stops between batches.
pub(crate) async fn pass(engine: &Engine, stop: &CancellationToken) -> Result<(), Error> {
    let before = engine.clock().now() - GRACE;
    let mut files = engine.files.store.list();
    let mut gone = 0;
    while !stop.is_cancelled() {
        let batch = next(&mut files, before).await?;
        if batch.is_empty() {
            break;
        }
        for (organization_id, digests) in batch {
            for some in digests.chunks(AT_A_TIME) {
                gone += within(sweep(engine, organization_id, some)).await?;
            }
        }
    }
    if gone > 0 {
        tracing::info!(files = gone, "deleted files that nobody names");
    }
    Ok(())
}

/// The next files that are old enough, by organization; none at the end.
async fn next(
    files: &mut BoxStream<'static, Result<Kept, BlobError>>,
    before: DateTime<Utc>,
) -> Result<HashMap<OrganizationId, Vec<Digest>>, Error> {
    let old = files.try_filter(|kept| std::future::ready(kept.kept_at < before));
    let found: Vec<Result<Kept, BlobError>> = old.take(BATCH).collect().await;
    let mut batch: HashMap<OrganizationId, Vec<Digest>> = HashMap::new();
    for kept in found {
        let kept = kept?;
        batch
            .entry(kept.organization_id)
            .or_default()
            .push(kept.digest);
    }
    Ok(batch)
}

/// Nobody can begin to name a file of the organization while this looks and deletes: the one place where the store is
/// asked inside a transaction, a few files long.
async fn sweep(
    engine: &Engine,
    organization_id: OrganizationId,
    files: &[Digest],
) -> Result<usize, Error> {
    let mut tx = SystemTx::begin(&engine.db, "files that nobody names").await?;
    if !media::try_lock_alone(tx.conn(), organization_id).await? {
        // Somebody is naming a file just now: the next pass comes.
        return Ok(0);
    }
    let named = media::list_named(tx.conn(), organization_id, files).await?;
    let mut gone = 0;
    for file in files {
        if named.iter().any(|named| named == file.as_bytes()) {
            continue;
        }
        engine.files.store.delete(organization_id, *file).await?;
        gone += 1;
    }
    tx.commit().await?;
    Ok(gone)
}

#[cfg(test)]
mod tests;
