//! Replaces signing keys when they are old.

use std::time::Duration;

use clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::keys::KeyRing;

const PERIOD: Duration = Duration::from_hours(1);

pub(crate) async fn run(keys: KeyRing, clock: Clock, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = clock.sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = keys.replace_due().await {
            tracing::error!(
                error.chain = errors::chain(&error),
                "signing keys could not be replaced; trying again in an hour"
            );
        }
    }
}
