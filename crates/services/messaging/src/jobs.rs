//! Deferred work.

pub(crate) mod erase_organization;
pub(crate) mod expire_blocked;
pub(crate) mod keep_partitions;
pub(crate) mod reconcile_attempt;
pub(crate) mod sweep_quarantine;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{error::Error, within::within};

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
    while !stop.is_cancelled() {
        match within(pass()).await {
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
