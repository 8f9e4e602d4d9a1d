//! A connection that is kept up: connect, declare, watch, and again after a jittered pause. The
//! client library's own recovery is not used, because it has had cases of waiting for ever; here a
//! lost connection means a new one and everything on the old one is forgotten.

mod state;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream::BoxStream};
use lapin::Event;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    BusError,
    backoff::Backoff,
    connection::{Dialed, dial},
    deadline::within,
};

use state::Established;
pub use state::LinkHealth;
pub(crate) use state::{Role, Session, Wiring};

use state::State;

/// How often the connection's own state is looked at, should its event have been missed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A connection that lived this long was no flapping: the pauses start small again.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// One supervised connection.
#[derive(Debug)]
pub(crate) struct Link {
    role: Role,
    wiring: Arc<Wiring>,
    state: watch::Sender<State>,
}

impl Link {
    pub(crate) fn new(role: Role, wiring: Arc<Wiring>, used: bool) -> Self {
        let state = if used {
            wiring.metrics.connection(role.name(), false);
            State::Connecting
        } else {
            State::Unused
        };
        Self {
            role,
            wiring,
            state: watch::Sender::new(state),
        }
    }

    pub(crate) fn health(&self) -> LinkHealth {
        self.state.borrow().health()
    }

    /// The connection, if it can be used now.
    pub(crate) fn session(&self) -> Result<Arc<Session>, BusError> {
        match &*self.state.borrow() {
            State::Up { session, blocked } if !blocked || self.role == Role::Consume => {
                Ok(Arc::clone(session))
            }
            State::Up { .. } => Err(BusError::Blocked),
            State::Unused | State::Connecting | State::Closed => Err(BusError::NotConnected),
        }
    }

    /// Whether the connection lives, as far as the client library knows: it knows of a loss before
    /// [`session`](Self::session) does.
    pub(crate) fn connected(&self) -> bool {
        self.session()
            .is_ok_and(|session| session.connection.status().connected())
    }

    /// Waits for a usable connection; `None` when there will be none any more.
    pub(crate) async fn wait_session(&self) -> Option<Arc<Session>> {
        let mut state = self.state.subscribe();
        loop {
            if let Ok(session) = self.session() {
                return Some(session);
            }
            if matches!(*state.borrow_and_update(), State::Closed | State::Unused) {
                return None;
            }
            state.changed().await.ok()?;
        }
    }

    /// Opens the connection and declares what its role needs.
    async fn establish(&self) -> Result<Established, BusError> {
        let Wiring {
            config, topology, ..
        } = &*self.wiring;
        let name = format!("{} {}", topology.service(), self.role.name());
        let Dialed {
            connection,
            events,
            socket,
        } = dial(config, &name).await?;
        let session = Arc::new(Session { connection, socket });
        let timeout = config.request_timeout();
        match self.role {
            Role::Publish => {
                topology
                    .declare_exchange(&session.connection, timeout)
                    .await?;
            }
            Role::Consume => topology.declare(&session.connection, timeout).await?,
        }
        Ok(Established { session, events })
    }

    /// Keeps the connection up until `stop`.
    ///
    /// # Errors
    /// Drift, as long as no connection has ever been usable. Later drift is logged and tried again:
    /// the outbox keeps what can't be published meanwhile.
    pub(crate) async fn keep_up(&self, stop: &CancellationToken) -> Result<(), BusError> {
        let config = &self.wiring.config;
        let mut backoff = Backoff::new(
            Duration::from_millis(config.reconnect_min_ms),
            Duration::from_millis(config.reconnect_max_ms),
            self.wiring.jitter.clone(),
        );
        let mut was_up = false;
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            let attempt = tokio::select! {
                established = self.establish() => established,
                () = stop.cancelled() => break,
            };
            match attempt {
                Ok(established) => {
                    was_up = true;
                    failures = 0;
                    let since = Instant::now();
                    self.serve(established, stop).await;
                    if since.elapsed() >= STABLE_AFTER {
                        backoff.reset();
                    }
                }
                Err(BusError::Drift(drift)) if !was_up => return Err(drift.into()),
                Err(error) => {
                    failures = failures.saturating_add(1);
                    self.log_failure(&error, failures);
                }
            }
            if stop.is_cancelled() {
                break;
            }
            let pause = backoff.pause();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        self.state.send_replace(State::Closed);
        Ok(())
    }

    /// An outage of hours is told of ever more rarely; the metric has it all the time.
    fn log_failure(&self, error: &BusError, failures: u32) {
        let cause = errors::chain(error);
        let role = self.role.name();
        if matches!(error, BusError::Drift(_)) {
            tracing::error!(
                bus.role = role,
                error = cause,
                "the broker's topology is not ours"
            );
        } else if failures.is_power_of_two() {
            tracing::warn!(
                bus.role = role,
                failures,
                error = cause,
                "the broker can't be used; trying again"
            );
        }
    }

    /// Offers the connection to its users until it breaks or the service stops.
    async fn serve(&self, established: Established, stop: &CancellationToken) {
        let Established { session, events } = established;
        let role = self.role.name();
        let blocked = session.connection.status().blocked();
        self.set(State::Up {
            session: Arc::clone(&session),
            blocked,
        });
        tracing::info!(bus.role = role, "connected to the broker");
        let stopped = tokio::select! {
            () = self.watch(&session, events) => false,
            () = self.redeclare(&session) => false,
            () = stop.cancelled() => true,
        };
        if stopped {
            self.set(State::Closed);
            let timeout = self.wiring.config.request_timeout();
            let closing = session.connection.close(200, "the service stops".into());
            if let Err(error) = within(timeout, "close the connection", closing).await {
                tracing::warn!(
                    bus.role = role,
                    error = errors::chain(&error),
                    "closed without an answer"
                );
            }
        } else {
            self.set(State::Connecting);
            tracing::warn!(bus.role = role, "the connection to the broker is lost");
        }
        // Others may hold the session still; what they wait for fails now instead of at a timeout.
        session.socket.cut();
    }

    fn set(&self, state: State) {
        let up = matches!(state.health(), LinkHealth::Up);
        self.wiring.metrics.connection(self.role.name(), up);
        self.state.send_replace(state);
    }

    /// Brings back what somebody deleted. A missing binding is noticed by nobody else: the producer
    /// sees its messages returned, and the consumer sees nothing at all.
    async fn redeclare(&self, session: &Session) {
        let Wiring {
            config, topology, ..
        } = &*self.wiring;
        loop {
            let pause = self.wiring.jitter.shorten(config.topology_check());
            tokio::time::sleep(pause).await;
            if self.role == Role::Publish {
                continue;
            }
            let declared = topology
                .declare(&session.connection, config.request_timeout())
                .await;
            if let Err(error) = declared {
                self.log_failure(&error, 1);
            }
        }
    }

    /// Follows the connection's events; returns when it is unusable.
    async fn watch(&self, session: &Arc<Session>, mut events: BoxStream<'static, Event>) {
        let mut check = tokio::time::interval(CHECK_INTERVAL);
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _tick = check.tick() => Some(Event::Connected),
            };
            let blocked = match event {
                Some(Event::ConnectionBlocked(reason)) => {
                    tracing::warn!(
                        bus.role = self.role.name(),
                        reason,
                        "the broker blocks publishing"
                    );
                    Some(true)
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!(
                        bus.role = self.role.name(),
                        "the broker takes messages again"
                    );
                    Some(false)
                }
                Some(_) => None,
                None => return,
            };
            if !session.connection.status().connected() {
                return;
            }
            if let Some(blocked) = blocked {
                self.set(State::Up {
                    session: Arc::clone(session),
                    blocked,
                });
            }
        }
    }
}
