use std::time::Duration;

use tonic_health::{
    ServingStatus,
    pb::health_server::{Health as HealthService, HealthServer},
    server::HealthReporter,
};

use crate::{Health, Shutdown};

/// A probe that goes stale changes readiness without anybody saying so.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps the standard gRPC health service saying what `/readyz` says.
#[derive(Debug)]
pub(crate) struct Mirror {
    reporter: HealthReporter,
    health: Health,
    names: Vec<&'static str>,
}

impl Mirror {
    pub(super) fn new(
        health: Health,
        names: Vec<&'static str>,
    ) -> (Self, HealthServer<impl HealthService>) {
        let (reporter, server) = tonic_health::server::health_reporter();
        let mirror = Self {
            reporter,
            health,
            names,
        };
        (mirror, server)
    }

    /// Mirrors until the service stops.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let (mut changed, mut draining) = self.health.changes();
        let mut shown = None;
        loop {
            let ready = self.health.is_ready();
            if shown.replace(ready) != Some(ready) {
                self.show(ready).await;
            }
            tokio::select! {
                () = shutdown.soft.cancelled() => break,
                Ok(()) = changed.changed() => {}
                Ok(()) = draining.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        self.show(false).await;
    }

    async fn show(&self, ready: bool) {
        let status = if ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for name in std::iter::once("").chain(self.names.iter().copied()) {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
