//! What a link is and what is known of it.

use std::{fmt, sync::Arc};

use futures::stream::BoxStream;
use lapin::{Connection, Event};

use clock::Jitter;

use crate::{BusConfig, connection::Socket, metrics::Metrics, topology::Topology};

/// What a connection is for. Publishing and consuming have one each: the broker throttles a
/// connection that publishes, and that must not stop acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Publish,
    Consume,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
        }
    }
}

/// The state of one of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkHealth {
    /// There is nothing to consume, so there is no connection for it.
    Unused,
    /// Down; being opened or waiting for the next attempt.
    Connecting,
    /// Usable.
    Up,
    /// Open, but the broker takes no messages: a memory or disk alarm.
    Blocked,
    /// Closed for good: the service is stopping.
    Closed,
}

impl LinkHealth {
    /// Nothing, or what is missing.
    pub(crate) const fn usable(self) -> Result<(), &'static str> {
        match self {
            Self::Up | Self::Unused => Ok(()),
            Self::Connecting => Err("not connected"),
            Self::Blocked => Err("takes no messages"),
            Self::Closed => Err("closed"),
        }
    }
}

/// One open connection. Dropping the last handle cuts it.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(super) socket: Socket,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.socket.cut();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Unused,
    Connecting,
    Up {
        session: Arc<Session>,
        blocked: bool,
    },
    Closed,
}

impl State {
    pub(super) const fn health(&self) -> LinkHealth {
        match self {
            Self::Unused => LinkHealth::Unused,
            Self::Connecting => LinkHealth::Connecting,
            Self::Up { blocked: false, .. } => LinkHealth::Up,
            Self::Up { blocked: true, .. } => LinkHealth::Blocked,
            Self::Closed => LinkHealth::Closed,
        }
    }
}

/// A freshly opened connection on which everything is declared.
pub(crate) struct Established {
    pub(super) session: Arc<Session>,
    pub(super) events: BoxStream<'static, Event>,
}

/// What a link needs to know about its surroundings.
#[derive(Debug)]
pub(crate) struct Wiring {
    pub(crate) config: BusConfig,
    pub(crate) topology: Topology,
    pub(crate) jitter: Jitter,
    pub(crate) metrics: Metrics,
}
