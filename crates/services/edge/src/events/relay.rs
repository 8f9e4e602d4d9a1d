//! From the outbox to the broker.

use bus::{Bus, BusConfig, Jitter, LinkHealth, Parts, Topology, relay};
use chassis::{Deps, anyhow};
use db::Db;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connects and publishes until the service stops and the last of `writers` has ended: what they accepted while it
/// stopped is published, too.
///
/// All of it happens in the background. A broker that is down, slow or silent costs intake nothing, not even a slower
/// start; what it misses waits in the outbox.
pub(crate) async fn run(
    service: &'static str,
    db: Db,
    config: BusConfig,
    writers: TaskTracker,
    deps: Deps,
) -> anyhow::Result<()> {
    let stop = deps.shutdown.soft;
    let written = CancellationToken::new();
    let parts = Parts {
        clock: deps.clock,
        jitter: Jitter::from_os(),
        meter: deps.meter,
    };
    let connecting = Bus::connect(config, Topology::new(service, &[]), parts);
    let (bus, supervisor) = tokio::select! {
        connected = connecting => connected?,
        () = stop.cancelled() => return Ok(()),
    };
    let watched = bus.clone();
    // Shown in /readyz, which does not depend on it.
    deps.health.watch("rabbitmq", move || {
        let health = watched.health().publishing;
        std::future::ready(match health {
            LinkHealth::Up | LinkHealth::Unused => Ok(()),
            LinkHealth::Connecting => Err("not connected"),
            LinkHealth::Blocked => Err("takes no messages"),
            LinkHealth::Closed => Err("closed"),
        })
    });
    let publishing = async {
        relay::run(db, bus, written.clone()).await;
        Ok(())
    };
    let writing = async {
        stop.cancelled().await;
        writers.close();
        writers.wait().await;
        written.cancel();
        Ok(())
    };
    tokio::try_join!(supervisor.run(written.clone()), publishing, writing)?;
    Ok(())
}
