//! Deferred work.

pub(crate) mod check_channels;
pub(crate) mod erase_organization;
pub(crate) mod expire_blocked;
pub(crate) mod fetch_media;
pub(crate) mod keep_partitions;
pub(crate) mod reconcile_attempt;
pub(crate) mod release_work;
pub(crate) mod sweep_files;
pub(crate) mod sweep_quarantine;
pub(crate) mod sync_templates;
pub(crate) mod tell_blocks;
pub(crate) mod transfers;
pub(crate) mod upload_media;
pub(crate) mod wake_snoozed;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    error::Error,
    within::{LIMIT, within_limit},
};

/// Repeats a pass until `stop`: at once while it says that there is more, else after a pause. One that
/// fails is logged, and the next one tries again.
async fn every<P>(
    pause: Duration,
    stop: CancellationToken,
    job: &'static str,
    pass: impl Fn() -> P + Send,
) where
    P: Future<Output = Result<bool, Error>> + Send,
{
    every_within(LIMIT, pause, stop, job, pass).await;
}

/// The same for passes that ask others than the database: each has `limit`, less than its lease.
async fn every_within<P>(
    limit: Duration,
    pause: Duration,
    stop: CancellationToken,
    job: &'static str,
    pass: impl Fn() -> P + Send,
) where
    P: Future<Output = Result<bool, Error>> + Send,
{
    while !stop.is_cancelled() {
        match within_limit(limit, pass()).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(
                    job,
                    error = errors::chain(&error),
                    "the job can't go on now"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
