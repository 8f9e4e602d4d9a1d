//! The two steps of stopping, and the signals that ask for them.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Says when to stop. Clones see the same tokens.
///
/// * `soft`: take no new work, finish what is under way. Loops end, streams tell their clients to
///   reconnect.
/// * `hard`: the grace is over. Whatever still runs is dropped; nothing needs to watch for it,
///   because [`Tasks`](crate::Tasks) drops tasks by itself.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Cancelled when the service stops taking new work.
    pub soft: CancellationToken,
    /// Cancelled when the grace is over.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// Tokens nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// True once no new work may be taken.
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    pub(crate) fn begin(&self) {
        self.soft.cancel();
    }

    pub(crate) fn force(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }
}

/// SIGTERM (an orchestrator) and SIGINT (a person).
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal and gives its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
