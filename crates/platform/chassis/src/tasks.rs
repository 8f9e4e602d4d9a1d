//! Background tasks that cannot be lost: each has a name and a span, is waited for when the
//! service stops, and takes the service down if it dies.

use std::{
    error::Error,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::Shutdown;

/// Spans under this target show in log lines but are not exported: a trace that lasts as long as
/// the process would swallow everything the task ever does.
pub(crate) const SPAN_TARGET: &str = "chassis::task";

/// Starts and tracks the tasks of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks {
    service: &'static str,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tracker: TaskTracker,
    shutdown: Shutdown,
    failure: Mutex<Option<Failure>>,
    failed: CancellationToken,
}

/// A task that died, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The service that started it.
    pub service: &'static str,
    /// The task.
    pub task: &'static str,
    /// What happened.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} of {} {}", self.task, self.service, self.reason)
    }
}

/// What a task may return: nothing, or a result whose error takes the service down.
pub trait TaskResult {
    /// The error with its causes.
    fn into_failure(self) -> Option<String>;
}

impl TaskResult for () {
    fn into_failure(self) -> Option<String> {
        None
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> TaskResult for Result<(), E> {
    fn into_failure(self) -> Option<String> {
        self.err().map(|error| errors::chain(&*error.into()))
    }
}

impl Tasks {
    /// Tasks of `service` that stop with `shutdown`.
    pub fn new(service: &'static str, shutdown: Shutdown) -> Self {
        Self {
            service,
            shared: Arc::new(Shared {
                tracker: TaskTracker::new(),
                shutdown,
                failure: Mutex::new(None),
                failed: CancellationToken::new(),
            }),
        }
    }

    /// The same tracker under another service's name.
    pub(crate) fn of_service(&self, service: &'static str) -> Self {
        Self {
            service,
            shared: Arc::clone(&self.shared),
        }
    }

    /// When to stop.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shared.shutdown
    }

    /// Starts a task that runs until [`Shutdown::soft`]. If it returns before, fails or panics,
    /// the service shuts down and exits with a failure.
    ///
    /// A future that never returns has no type to return: give its loop a way out, by watching
    /// `soft`, which it must do anyway.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future + Send + 'static,
        F::Output: TaskResult,
    {
        let tasks = self.clone();
        let span = tracing::error_span!(
            target: SPAN_TARGET, parent: None, "task",
            task.name = name, service.name = self.service,
        );
        let watched = async move {
            let shutdown = tasks.shutdown();
            let reason = tokio::select! {
                biased;
                ended = AssertUnwindSafe(future).catch_unwind() => match ended {
                    Err(panic) => Some(format!("panicked: {}", panic_text(&*panic))),
                    Ok(output) => match output.into_failure() {
                        Some(error) => Some(format!("failed: {error}")),
                        None if !shutdown.is_stopping() => {
                            Some("ended before it was asked to".to_owned())
                        }
                        None => None,
                    },
                },
                () = shutdown.hard.cancelled() => {
                    tracing::warn!("task dropped: it did not end within the grace");
                    None
                }
            };
            if let Some(reason) = reason {
                tasks.fail(name, reason);
            }
        };
        self.shared.tracker.spawn(watched.instrument(span));
    }

    fn fail(&self, task: &'static str, reason: String) {
        let failure = Failure {
            service: self.service,
            task,
            reason,
        };
        tracing::error!(task.name = task, "{failure}; shutting down");
        // The first failure is the cause; what dies with it is noise.
        self.shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(failure);
        self.shared.failed.cancel();
    }

    /// The task that died first.
    pub fn failure(&self) -> Option<Failure> {
        self.shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns when a task has died.
    pub(crate) async fn failed(&self) {
        self.shared.failed.cancelled().await;
    }

    /// The tracker, for connections: they are waited for and dropped like tasks, but may end.
    pub(crate) fn tracker(&self) -> &TaskTracker {
        &self.shared.tracker
    }

    /// Returns when all tasks have ended and no more are expected.
    pub(crate) async fn ended(&self) {
        self.shared.tracker.close();
        self.shared.tracker.wait().await;
    }

    /// How many tasks and connections are alive.
    pub(crate) fn alive(&self) -> usize {
        self.shared.tracker.len()
    }
}

/// The message of a panic, with what may be personal taken out.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    crate::telemetry::redact::text(text.unwrap_or("no message"))
}
