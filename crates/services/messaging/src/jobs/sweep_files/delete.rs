//! Deletes what has been doomed for long enough.
//!
//! What a store is asked to delete may go later than anybody waits for the answer. So it is written down first that a
//! file is being deleted; until the store says that it is gone, whoever brings the same bytes is told to come again. Of
//! a deletion whose end is not known the next one is asked for when the store must be through with it.

use std::time::{Duration, Instant};

use blobs::Digest;
use chrono::{DateTime, TimeDelta, Utc};
use db::SystemTx;
use futures::future::join_all;
use ids::OrganizationId;
use tokio_util::sync::CancellationToken;

use super::GRACE;
use crate::{
    error::Error,
    outbound::Engine,
    store::{
        doomed_files::{self, Doomed},
        media,
    },
    within::within,
};

/// Files that are deleted at once.
const AT_A_TIME: i64 = 16;
/// Far longer than a store that was asked to delete a file needs, and than [`LATEST`].
const STUCK: TimeDelta = TimeDelta::minutes(30);
/// A process that was held up for so long between writing down and asking does not ask: others take it for dead.
const LATEST: Duration = Duration::from_mins(1);

/// All that are due; how many are gone.
pub(super) async fn pass(engine: &Engine, stop: &CancellationToken) -> Result<usize, Error> {
    let (mut gone, mut after) = (0, None);
    while !stop.is_cancelled() {
        let due = within(due(engine, after.as_ref())).await?;
        let Some(last) = due.last() else { break };
        after = Some(last.clone());
        for some in due.chunk_by(|one, next| one.organization_id == next.organization_id) {
            gone += some_of(engine, some).await?;
        }
    }
    Ok(gone)
}

async fn due(engine: &Engine, after: Option<&Doomed>) -> Result<Vec<Doomed>, Error> {
    let now = engine.clock().now();
    let mut tx = SystemTx::begin(&engine.db, "doomed files").await?;
    let due = doomed_files::list_due(tx.conn(), now - GRACE, now - STUCK, after, AT_A_TIME).await?;
    tx.commit().await?;
    Ok(due)
}

/// Files of one organization.
async fn some_of(engine: &Engine, files: &[Doomed]) -> Result<usize, Error> {
    let Some(organization_id) = files.first().map(|file| file.organization_id) else {
        return Ok(0);
    };
    let files: Vec<Vec<u8>> = files.iter().map(|file| file.sha256.clone()).collect();
    let (started, since) = (Instant::now(), engine.clock().now());
    let files = within(begin(engine, organization_id, &files, since)).await?;
    if started.elapsed() > LATEST {
        return Ok(0);
    }
    let deleted = join_all(files.iter().map(async |file| {
        let digest = Digest::try_from(file.as_slice()).ok()?;
        match engine.files.store.delete(organization_id, digest).await {
            Ok(()) => Some(file.clone()),
            Err(error) => {
                tracing::warn!(
                    job = "sweep-files",
                    error = errors::chain(&error),
                    "can't delete a file"
                );
                None
            }
        }
    }))
    .await;
    let deleted: Vec<Vec<u8>> = deleted.into_iter().flatten().collect();
    within(finish(engine, organization_id, &deleted, since)).await?;
    Ok(deleted.len())
}

/// Which of these to delete: the others are named by now, or somebody else deletes them.
pub(super) async fn begin(
    engine: &Engine,
    organization_id: OrganizationId,
    files: &[Vec<u8>],
    since: DateTime<Utc>,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut tx = SystemTx::begin(&engine.db, "files to delete").await?;
    if !media::try_lock_alone(tx.conn(), organization_id).await? {
        // Somebody is naming a file just now: the next pass comes.
        return Ok(Vec::new());
    }
    let begun =
        doomed_files::begin(tx.conn(), organization_id, files, since - STUCK, since).await?;
    tx.commit().await?;
    Ok(begun)
}

pub(super) async fn finish(
    engine: &Engine,
    organization_id: OrganizationId,
    files: &[Vec<u8>],
    since: DateTime<Utc>,
) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&engine.db, "files that are gone").await?;
    doomed_files::finish(tx.conn(), organization_id, files, since).await?;
    tx.commit().await?;
    Ok(())
}
