//! Replaces signing keys when they are old.

use std::time::Duration;

use clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::{Error, keys::KeyRing};

const PERIOD: Duration = Duration::from_hours(1);
/// Of one pass: one that hangs must not be the last.
const TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) async fn run(keys: KeyRing, clock: Clock, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = clock.sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
        match tokio::time::timeout(TIMEOUT, pass(&keys)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(
                error = errors::chain(&error),
                "signing keys could not be replaced; trying again in an hour"
            ),
            Err(_) => tracing::error!(
                "signing keys could not be replaced in time; trying again in an hour"
            ),
        }
    }
}

async fn pass(keys: &KeyRing) -> Result<(), Error> {
    keys.replace_due().await?;
    keys.delete_old().await
}
