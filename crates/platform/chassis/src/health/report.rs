use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::{Health, probe::Checked};
use crate::Tasks;

/// The health of all services of a process, for its admin server.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    services: Arc<Mutex<Vec<Health>>>,
    draining: Arc<watch::Sender<bool>>,
    tasks: Tasks,
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) ready: bool,
    /// True once the process has been asked to stop.
    pub(crate) draining: bool,
    pub(crate) services: Vec<ServiceReport>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ServiceReport {
    pub(crate) service: &'static str,
    pub(crate) ready: bool,
    pub(crate) checks: Vec<Checked>,
}

impl Readiness {
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self {
            services: Arc::default(),
            draining: Arc::new(watch::Sender::new(false)),
            tasks,
        }
    }

    /// Makes a service's health count.
    pub(crate) fn add(&self, health: Health) {
        self.services
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(health);
    }

    /// Runs each probe of each service once now.
    pub(crate) async fn examine(&self) -> Vec<(&'static str, Result<(), String>)> {
        let services = self
            .services
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut found = Vec::new();
        for health in services {
            found.extend(health.examine().await);
        }
        found
    }

    /// A view of whether the process is stopping, for a service's health.
    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }

    /// From now on nothing is ready.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// The task that died, if any: then the process is not alive in a useful sense.
    pub(crate) fn failure(&self) -> Option<crate::Failure> {
        self.tasks.failure()
    }

    pub(crate) fn report(&self) -> Report {
        let services: Vec<_> = self
            .services
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|health| ServiceReport {
                service: health.service(),
                ready: health.is_ready(),
                checks: health.checked(),
            })
            .collect();
        let draining = *self.draining.borrow();
        Report {
            // A process whose services are still being built has none to show, and is not ready.
            ready: !draining && !services.is_empty() && services.iter().all(|s| s.ready),
            draining,
            services,
        }
    }
}
