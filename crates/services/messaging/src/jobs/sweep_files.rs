//! Deletes files that no row names: of a process that was killed between keeping a file and saying so, of messages that
//! are gone, of organizations that are gone. And gives up uploads that nobody finished.
//!
//! A pass looks at every file and dooms those that nobody names. What was doomed a day ago and is still nobody's is
//! deleted, unless so much is doomed, or in such a store, that the mistake must be ours: what is deleted is gone.

mod brake;
mod delete;

use std::{collections::HashMap, sync::Arc, time::Duration};

use blobs::{BlobError, Digest, Kept};
use chrono::{DateTime, TimeDelta, Utc};
use db::{Db, SystemTx};
use futures::{StreamExt, stream::BoxStream};
use ids::OrganizationId;
use tokio_util::sync::CancellationToken;

pub(crate) use self::brake::{Brake, Refusals};
use self::brake::{Owner, Refused};
use super::every;
use crate::{
    error::Error,
    outbound::Engine,
    store::{doomed_files, media},
    within::within,
};

/// How long a file may be nobody's: what keeps it needs time to say so. And how long it is doomed before it goes.
const GRACE: TimeDelta = TimeDelta::days(1);
const INTERVAL: Duration = Duration::from_hours(6);
/// Files of one look into the database.
const BATCH: usize = 500;
/// Rows of one transaction.
const ROWS: i64 = 500;

/// Looks every six hours until `stop`.
pub(crate) async fn run(engine: Arc<Engine>, refusals: Refusals, stop: CancellationToken) {
    let giving_up = every(INTERVAL, stop.clone(), "abandon-media", || {
        abandon(&engine.db)
    });
    let sweeping = async {
        while !stop.is_cancelled() {
            match pass(&engine, &stop).await {
                Ok(Swept { refused, .. }) => {
                    if let Some(refused) = refused {
                        refusals.tell(&refused);
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        job = "sweep-files",
                        error = errors::chain(&error),
                        "the job can't go on now"
                    );
                }
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

/// What a pass came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Files that were deleted.
    pub(crate) gone: usize,
    /// Why nothing was.
    pub(crate) refused: Option<Refused>,
}

impl From<Refused> for Swept {
    fn from(refused: Refused) -> Self {
        Self {
            gone: 0,
            refused: Some(refused),
        }
    }
}

/// Once through all files. It may be many: it stops between batches.
pub(crate) async fn pass(engine: &Engine, stop: &CancellationToken) -> Result<Swept, Error> {
    let owner = Owner::find(engine).await?;
    if let Owner::Other(name) = owner {
        return Ok(Refused::Store { owner: Some(name) }.into());
    }
    let Some(seen) = doom(engine, stop).await? else {
        return Ok(Swept::default());
    };
    if matches!(owner, Owner::Nobody)
        && let Some(refused) = brake::claim(engine, &seen).await?
    {
        return Ok(refused.into());
    }
    if let Some(refused) = brake::too_many(engine, &seen).await? {
        return Ok(refused.into());
    }
    let gone = delete::pass(engine, stop).await?;
    if gone > 0 {
        tracing::info!(files = gone, "deleted files that nobody names");
    }
    Ok(Swept {
        gone,
        refused: None,
    })
}

/// What a look at all files has shown.
#[derive(Debug, Default)]
struct Seen {
    /// All files.
    files: usize,
    /// Those that are old enough to be somebody's.
    old: usize,
    /// Those of them that are.
    named: usize,
}

/// Looks at all files and dooms what nobody names; `None` when it was stopped.
async fn doom(engine: &Engine, stop: &CancellationToken) -> Result<Option<Seen>, Error> {
    let before = engine.clock().now() - GRACE;
    let mut files = engine.files.store.list();
    let mut seen = Seen::default();
    while !stop.is_cancelled() {
        let batch = next(&mut files).await?;
        if batch.is_empty() {
            return Ok(Some(seen));
        }
        seen.files += batch.len();
        for (organization_id, digests) in old(&batch, before) {
            seen.old += digests.len();
            seen.named += within(doom_some(engine, organization_id, &digests)).await?;
        }
    }
    Ok(None)
}

/// The next files; none at the end.
async fn next(
    files: &mut BoxStream<'static, Result<Kept, BlobError>>,
) -> Result<Vec<Kept>, BlobError> {
    let found: Vec<Result<Kept, BlobError>> = files.take(BATCH).collect().await;
    found.into_iter().collect()
}

fn old(batch: &[Kept], before: DateTime<Utc>) -> HashMap<OrganizationId, Vec<Digest>> {
    let mut old: HashMap<OrganizationId, Vec<Digest>> = HashMap::new();
    for kept in batch.iter().filter(|kept| kept.kept_at < before) {
        let digests = old.entry(kept.organization_id).or_default();
        digests.push(kept.digest);
    }
    old
}

async fn doom_some(
    engine: &Engine,
    organization_id: OrganizationId,
    files: &[Digest],
) -> Result<usize, Error> {
    let now = engine.clock().now();
    let mut tx = SystemTx::begin(&engine.db, "files that nobody names").await?;
    let named = doomed_files::doom(tx.conn(), organization_id, files, now).await?;
    tx.commit().await?;
    Ok(named)
}

#[cfg(test)]
mod tests;
