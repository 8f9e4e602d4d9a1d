//! Jobs that ask WhatsApp, above all for files: some at a time, each for as long as it takes and no longer than its lease.

use std::{future::Future, sync::Arc, time::Duration};

use db::{
    DbError, SystemTx, TenantTx,
    jobs::{self, Leased},
};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{fetch_media, upload_media};
use crate::{error::Error, outbound::Engine, store::routes::Route, within::within};

/// Of one kind, per replica. Each may have the disk and one part of a file in memory.
const AT_A_TIME: usize = 8;
/// Of one organization among them: one with thousands of files leaves room for those of others.
const EACH: u32 = 5;
const POLL: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_mins(10);
/// Shorter than the lease: whoever gives a file up may still write that.
const LONGEST: Duration = Duration::from_mins(9);
/// What is under way when the service stops may end; the rest begins again when its lease has run out.
const GRACE: Duration = Duration::from_secs(10);

/// Works through due jobs of a kind until `stop`.
pub(crate) async fn run<F>(
    engine: Arc<Engine>,
    kind: &'static str,
    stop: CancellationToken,
    work: impl Fn(Arc<Engine>, Leased) -> F,
) where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        let room = AT_A_TIME - under_way.len();
        match within(claim(&engine, kind, room)).await {
            Ok(leased) => {
                for job in leased {
                    under_way.spawn(one(kind, job.id, work(Arc::clone(&engine), job)));
                }
            }
            Err(error) => {
                tracing::warn!(
                    job = kind,
                    error = errors::chain(&error),
                    "the job can't go on now"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = under_way.join_next() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let ending = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ending).await.is_err() {
        tracing::info!(
            job = kind,
            "jobs that ask WhatsApp are cut off and begin again later"
        );
    }
}

/// The channel has been connected again: files that wait for a better token are due at once.
pub(crate) async fn hurry(tx: &mut TenantTx, route: Route) -> Result<(), DbError> {
    let of_channel = json!({ "channel_id": route.channel_id });
    for kind in [fetch_media::KIND, upload_media::KIND] {
        jobs::hurry(tx, route.organization_id, kind, &of_channel).await?;
    }
    Ok(())
}

/// Leases what is due, by turns among organizations.
pub(crate) async fn claim(
    engine: &Engine,
    kind: &'static str,
    room: usize,
) -> Result<Vec<Leased>, Error> {
    let room = u32::try_from(room).unwrap_or(0);
    if room == 0 {
        return Ok(Vec::new());
    }
    let mut tx = SystemTx::begin(&engine.db, "jobs that ask WhatsApp").await?;
    let leased = jobs::claim_fairly(&mut tx, kind, room, EACH, LEASE, &engine.replica).await?;
    tx.commit().await?;
    Ok(leased)
}

async fn one(
    kind: &'static str,
    id: ids::JobId,
    work: impl Future<Output = Result<(), Error>> + Send,
) {
    // The job waits for its lease to end: then it is tried again.
    match tokio::time::timeout(LONGEST, work).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(job = kind, job.id = %id, error = errors::chain(&error), "a job that asks WhatsApp can't be done now");
        }
        Err(_elapsed) => {
            tracing::warn!(job = kind, job.id = %id, "a job that asks WhatsApp took too long");
        }
    }
}

/// The pauses between attempts: soon at first, because most troubles are short, then hourly.
pub(crate) fn pause(attempt: i32) -> Duration {
    const LADDER: [u64; 6] = [2, 10, 30, 120, 600, 3_600];
    let step = usize::try_from(attempt.max(1) - 1).unwrap_or(0);
    Duration::from_secs(LADDER[step.min(LADDER.len() - 1)])
}
