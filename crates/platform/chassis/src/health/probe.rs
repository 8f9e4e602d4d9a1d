use std::{
    error::Error,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use serde::Serialize;
use tokio::time::Instant;

use super::Health;

const INTERVAL: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(1);
/// Three intervals: a prober that hangs must not leave an old "good" standing.
const STALE: Duration = Duration::from_secs(6);

type Probe = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A latch or a probe with its last result.
pub(super) struct Check {
    pub(super) name: &'static str,
    required: bool,
    kind: Kind,
}

enum Kind {
    Latch(Arc<AtomicBool>),
    Probe {
        probe: Probe,
        last: Mutex<Option<(Instant, Result<(), String>)>>,
    },
}

/// What `/readyz` says of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Checked {
    pub(crate) name: &'static str,
    pub(crate) ready: bool,
    /// False if readiness does not depend on it.
    pub(crate) required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.checked()).finish()
    }
}

impl Check {
    pub(super) fn latch(name: &'static str, open: Arc<AtomicBool>) -> Self {
        Self {
            name,
            required: true,
            kind: Kind::Latch(open),
        }
    }

    pub(super) fn probe<F, Fut, E>(name: &'static str, required: bool, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let probe: Probe = Box::new(move || {
            let running = probe();
            async move { running.await.map_err(|error| errors::chain(&*error.into())) }.boxed()
        });
        Self {
            name,
            required,
            kind: Kind::Probe {
                probe,
                last: Mutex::new(None),
            },
        }
    }

    pub(super) fn checked(&self) -> Checked {
        let (ready, detail) = match &self.kind {
            Kind::Latch(open) if open.load(Ordering::Acquire) => (true, None),
            Kind::Latch(_) => (false, Some("not up yet".to_owned())),
            Kind::Probe { last, .. } => {
                match &*last.lock().unwrap_or_else(PoisonError::into_inner) {
                    None => (false, Some("not probed yet".to_owned())),
                    Some((at, _)) if at.elapsed() > STALE => {
                        let age = at.elapsed().as_secs();
                        (false, Some(format!("last probed {age} s ago")))
                    }
                    Some((_, Ok(()))) => (true, None),
                    Some((_, Err(error))) => (false, Some(error.clone())),
                }
            }
        };
        Checked {
            name: self.name,
            ready,
            required: self.required,
            detail,
        }
    }

    /// One probe now; `None` for a latch.
    pub(super) async fn examine(&self) -> Option<Result<(), String>> {
        let Kind::Probe { probe, .. } = &self.kind else {
            return None;
        };
        let limit = TIMEOUT.as_secs();
        let result = tokio::time::timeout(TIMEOUT, probe()).await;
        Some(result.unwrap_or_else(|_| Err(format!("no answer within {limit} s"))))
    }

    /// Probes until the service stops.
    pub(super) async fn run(&self, health: &Health) {
        let stop = health.0.tasks.shutdown().soft.clone();
        loop {
            let Some(result) = self.examine().await else {
                return;
            };
            self.keep(result, health);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(health.0.jitter.around(INTERVAL)) => {}
            }
        }
    }

    fn keep(&self, result: Result<(), String>, health: &Health) {
        let Kind::Probe { last, .. } = &self.kind else {
            return;
        };
        let (now_good, error) = (result.is_ok(), result.clone().err());
        let before = last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace((Instant::now(), result));
        let was_good = before.map(|(_, result)| result.is_ok());
        if was_good == Some(now_good) {
            return;
        }
        health.note_change();
        match error {
            Some(error) => tracing::warn!(probe.name = self.name, error, "dependency unreachable"),
            None if was_good.is_some() => {
                tracing::info!(probe.name = self.name, "dependency is back");
            }
            None => {}
        }
    }
}
