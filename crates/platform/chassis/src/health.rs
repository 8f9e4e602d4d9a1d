//! Whether a service can take requests: latches that open as parts come up, and probes of
//! dependencies that run on a timer, so that asking never does work.

mod probe;
mod report;

use std::{
    error::Error,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use clock::Jitter;
use tokio::sync::watch;

pub(crate) use report::Readiness;

use crate::Tasks;
use probe::{Check, Checked};

/// The health of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: &'static str,
    tasks: Tasks,
    jitter: Jitter,
    checks: Mutex<Vec<Arc<Check>>>,
    draining: watch::Receiver<bool>,
    /// Counts changes, so that mirrors need not wait for their next look.
    changed: watch::Sender<u64>,
}

/// A part of the service that must come up before it is ready: "signing keys loaded".
#[derive(Clone, Debug)]
pub struct Latch {
    open: Arc<AtomicBool>,
    health: Health,
}

impl Latch {
    /// Says that the part is up. It stays so: what may go away again is for a probe.
    pub fn open(&self) {
        if !self.open.swap(true, Ordering::AcqRel) {
            self.health.note_change();
        }
    }
}

impl Health {
    pub(crate) fn new(
        service: &'static str,
        tasks: Tasks,
        jitter: Jitter,
        draining: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Inner {
            service,
            tasks,
            jitter,
            checks: Mutex::default(),
            draining,
            changed: watch::Sender::new(0),
        }))
    }

    /// Adds a latch. The service is not ready until it is opened.
    pub fn latch(&self, name: &'static str) -> Latch {
        let open = Arc::new(AtomicBool::new(false));
        self.add(Check::latch(name, Arc::clone(&open)));
        Latch {
            open,
            health: self.clone(),
        }
    }

    /// Probes a dependency the service cannot work without: every 2 s, 1 s at most each time. The
    /// service is not ready before the first success, after a failure, or when the last result is
    /// older than 6 s.
    pub fn probe<F, Fut, E>(&self, name: &'static str, probe: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.start(Check::probe(name, true, probe));
    }

    /// Probes a dependency the service can do without for a while. It shows in `/readyz` and does
    /// not decide it: intake goes on when the broker is down.
    pub fn watch<F, Fut, E>(&self, name: &'static str, probe: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.start(Check::probe(name, false, probe));
    }

    fn start(&self, check: Check) {
        let check = self.add(check);
        let health = self.clone();
        let name = check.name;
        self.0.tasks.spawn("health.probe", async move {
            tracing::debug!(probe.name = name, "probing");
            check.run(&health).await;
        });
    }

    fn add(&self, check: Check) -> Arc<Check> {
        let check = Arc::new(check);
        self.checks().push(Arc::clone(&check));
        self.note_change();
        check
    }

    fn checks(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Check>>> {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_change(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    /// The service's name.
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// True if every latch is open, every required probe is fresh and good, and the service is
    /// not stopping.
    pub fn is_ready(&self) -> bool {
        !*self.0.draining.borrow() && self.checked().iter().all(|c| c.ready || !c.required)
    }

    /// What `is_ready` looks at.
    pub(crate) fn checked(&self) -> Vec<Checked> {
        self.checks().iter().map(|check| check.checked()).collect()
    }

    /// Runs each probe once now: name and error. For `doctor`.
    pub(crate) async fn examine(&self) -> Vec<(&'static str, Result<(), String>)> {
        let checks: Vec<_> = self.checks().clone();
        let mut found = Vec::new();
        for check in checks {
            if let Some(result) = check.examine().await {
                found.push((check.name, result));
            }
        }
        found
    }

    /// Returns when readiness may have changed.
    pub(crate) fn changes(&self) -> (watch::Receiver<u64>, watch::Receiver<bool>) {
        (self.0.changed.subscribe(), self.0.draining.clone())
    }
}

#[cfg(test)]
mod tests;
