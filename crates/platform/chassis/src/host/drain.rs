//! Stopping, in order: not ready, wait, take no new work, finish what is under way, drop the rest,
//! close, and only then the admin server.

use std::time::Duration;

use futures::future;

use super::{Host, finish};
use crate::{Failure, shutdown::Signals};

/// How long a service may take to close what it opened.
pub(super) const FINISH: Duration = Duration::from_secs(5);
/// Dropped tasks end at their next await; longer means one blocks its thread.
const ABORT: Duration = Duration::from_secs(2);

/// How a process ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The task whose death ended it, if that was the reason.
    pub failure: Option<Failure>,
    /// Tasks and connections that had to be dropped.
    pub dropped: usize,
    /// Services that did not close in time.
    pub unfinished: Vec<&'static str>,
}

impl Outcome {
    /// True unless a task died.
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}

impl Host {
    /// Runs until a signal comes or a task dies, then stops in order. A second signal ends the
    /// waiting at once.
    pub(crate) async fn run(self, signals: &mut Signals) -> Outcome {
        tokio::select! {
            name = signals.next() => tracing::info!(signal = name, "stopping"),
            () = self.tasks.failed() => tracing::error!("stopping because a task died"),
        }
        self.drain(async move { signals.next().await }).await
    }

    /// Stops in order.
    pub async fn shutdown(self) -> Outcome {
        self.drain(future::pending()).await
    }

    /// Stops in order, or at once when `hurry` says so.
    pub(crate) async fn drain(mut self, hurry: impl Future<Output = &'static str>) -> Outcome {
        let drain = self.options.drain.clone();
        self.readiness.drain();
        // Nobody sends requests to what never started: nobody has to notice that it stops.
        let delay = if self.services.is_empty() {
            Duration::ZERO
        } else {
            drain.delay(self.options.environment)
        };
        let orderly = async {
            tokio::time::sleep(delay).await;
            self.shutdown.begin();
            kill::point!("host.draining");
            let ended = tokio::time::timeout(drain.grace(), self.tasks.ended()).await;
            ended.is_ok()
        };
        let whole = tokio::select! {
            whole = orderly => whole,
            name = hurry => {
                tracing::warn!(signal = name, "second signal, stopping at once");
                false
            }
        };
        let mut outcome = Outcome::default();
        if !whole {
            outcome.dropped = self.tasks.alive();
            tracing::warn!(dropped = outcome.dropped, "dropping what still runs");
            self.shutdown.force();
            if tokio::time::timeout(ABORT, self.tasks.ended())
                .await
                .is_err()
            {
                tracing::error!(left = self.tasks.alive(), "tasks that cannot be stopped");
            }
        }
        let services = std::mem::take(&mut self.services);
        for result in future::join_all(services.into_iter().map(finish)).await {
            if let Err(name) = result {
                tracing::error!(service.name = name, "service did not close");
                outcome.unfinished.push(name);
            }
        }
        self.admin.force();
        if tokio::time::timeout(ABORT, self.admin_tasks.ended())
            .await
            .is_err()
        {
            tracing::error!("admin server did not stop");
        }
        outcome.failure = self.tasks.failure();
        outcome
    }
}
