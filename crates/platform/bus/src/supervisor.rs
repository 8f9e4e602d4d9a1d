//! The bus of one service: its two connections and who uses them.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use clock::Clock;
use opentelemetry::metrics::Meter;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    BusConfig, BusError, Jitter, Topology,
    link::{Established, Link, LinkHealth, Role, Wiring},
    metrics::Metrics,
};

/// What the bus takes from its surroundings instead of reaching for it.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Time for due dates and ages.
    pub clock: Clock,
    /// Randomness for pauses.
    pub jitter: Jitter,
    /// Where measurements go.
    pub meter: Meter,
}

impl Parts {
    /// `clock` and `meter` of the service, and the operating system's randomness.
    pub fn new(clock: Clock, meter: Meter) -> Self {
        Self {
            clock,
            jitter: Jitter::from_os(),
            meter,
        }
    }

    /// The machine's clock, the operating system's randomness and the process's meter provider.
    pub fn system() -> Self {
        Self {
            clock: Clock::system(),
            jitter: Jitter::from_os(),
            meter: opentelemetry::global::meter("bus"),
        }
    }
}

/// The broker as one service sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wiring: Arc<Wiring>,
    clock: Clock,
    publishing: Link,
    consuming: Link,
    /// Running consumers; while there is one, the relay keeps publishing what they write.
    consumers: TaskTracker,
    /// Running relays; while there is one, the connections stay open.
    relays: TaskTracker,
}

/// Both connections at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusHealth {
    /// The connection on which the relay publishes.
    pub publishing: LinkHealth,
    /// The connection of the consumers.
    pub consuming: LinkHealth,
}

/// Keeps the connections of a [`Bus`] up. Run it as a task of the service.
#[must_use = "without its supervisor the bus never reconnects"]
pub struct Supervisor {
    bus: Bus,
    publishing: Option<Established>,
    consuming: Option<Established>,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}

impl Bus {
    /// The bus of a service. Nothing is connected yet: [`run`](Self::run) does that, so a broker
    /// that is down, slow or silent costs a service nothing, not even a slower start.
    ///
    /// # Errors
    /// [`BusError::Config`] for unusable settings.
    pub fn open(config: BusConfig, topology: Topology, parts: Parts) -> Result<Self, BusError> {
        let problems = config.problems();
        if problems.is_empty() {
            Ok(Self::wire(config, topology, parts))
        } else {
            Err(BusError::Config(problems))
        }
    }

    /// Connects, declares the topology and keeps the connections up until `stop`, then until the
    /// consumers and after them the relays of this bus have finished, and closes. Run it once; see
    /// [`background`](crate::background()).
    ///
    /// # Errors
    /// [`BusError::Drift`], found once the broker could be reached: the service must not go on.
    pub async fn run(self, stop: CancellationToken) -> Result<(), BusError> {
        let supervisor = Supervisor {
            bus: self,
            publishing: None,
            consuming: None,
        };
        supervisor.run(stop).await
    }

    /// Whether both connections can be used, for the readiness page. A service whose requests only
    /// write to the outbox shows it and does not depend on it:
    /// `deps.health.watch("rabbitmq", bus.probe())`.
    pub fn probe(
        &self,
    ) -> impl Fn() -> Ready<Result<(), &'static str>> + Send + Sync + 'static + use<> {
        let bus = self.clone();
        move || {
            let BusHealth {
                publishing,
                consuming,
            } = bus.health();
            ready(publishing.usable().and_then(|()| consuming.usable()))
        }
    }

    /// Connects and declares the topology. A broker that can't be reached is not an error: the
    /// service starts, its outbox fills, and the supervisor goes on trying.
    ///
    /// # Errors
    /// [`BusError::Config`] for unusable settings; [`BusError::Drift`] if an exchange or queue
    /// exists with other arguments than ours.
    pub async fn connect(
        config: BusConfig,
        topology: Topology,
        parts: Parts,
    ) -> Result<(Self, Supervisor), BusError> {
        let bus = Self::open(config, topology, parts)?;
        let (consuming, publishing) = tokio::try_join!(
            first_attempt(bus.consuming()),
            first_attempt(bus.publishing())
        )?;
        let supervisor = Supervisor {
            bus: bus.clone(),
            publishing,
            consuming,
        };
        Ok((bus, supervisor))
    }

    fn wire(config: BusConfig, topology: Topology, parts: Parts) -> Self {
        let consumes = !topology.queues().is_empty();
        let wiring = Arc::new(Wiring {
            metrics: Metrics::new(&parts.meter, topology.service()),
            config,
            topology,
            jitter: parts.jitter,
        });
        Self(Arc::new(Inner {
            publishing: Link::new(Role::Publish, Arc::clone(&wiring), true),
            consuming: Link::new(Role::Consume, Arc::clone(&wiring), consumes),
            wiring,
            clock: parts.clock,
            consumers: TaskTracker::new(),
            relays: TaskTracker::new(),
        }))
    }

    /// Both connections now. For metrics and diagnosis; readiness of a service that only writes to
    /// its outbox must not depend on it.
    pub fn health(&self) -> BusHealth {
        BusHealth {
            publishing: self.0.publishing.health(),
            consuming: self.0.consuming.health(),
        }
    }

    /// What this service declares.
    pub fn topology(&self) -> &Topology {
        &self.0.wiring.topology
    }

    pub(crate) fn config(&self) -> &BusConfig {
        &self.0.wiring.config
    }

    pub(crate) fn jitter(&self) -> &Jitter {
        &self.0.wiring.jitter
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.wiring.metrics
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn publishing(&self) -> &Link {
        &self.0.publishing
    }

    pub(crate) fn consuming(&self) -> &Link {
        &self.0.consuming
    }

    pub(crate) fn consumers(&self) -> &TaskTracker {
        &self.0.consumers
    }

    pub(crate) fn relays(&self) -> &TaskTracker {
        &self.0.relays
    }
}

async fn first_attempt(link: &Link) -> Result<Option<Established>, BusError> {
    if link.health() == LinkHealth::Unused {
        return Ok(None);
    }
    match link.establish().await {
        Ok(established) => Ok(Some(established)),
        Err(error @ (BusError::Drift(_) | BusError::Config(_))) => Err(error),
        Err(error) => {
            let cause = errors::chain(&error);
            tracing::warn!(
                error = cause,
                "the broker can't be reached yet; starting without it"
            );
            Ok(None)
        }
    }
}

impl Supervisor {
    /// Keeps the connections up until `shutdown`, then until the consumers and after them the
    /// relays of this bus have finished, and closes.
    ///
    /// # Errors
    /// [`BusError::Drift`], found once the broker could be reached: the service must not go on.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BusError> {
        let Self {
            bus,
            publishing,
            consuming,
        } = self;
        let close = CancellationToken::new();
        let keep_consuming = async {
            match bus.consuming().health() {
                LinkHealth::Unused => Ok(()),
                _ => bus.consuming().keep_up(consuming, &close).await,
            }
        };
        let wait_for_users = async {
            shutdown.cancelled().await;
            for users in [bus.consumers(), bus.relays()] {
                users.close();
                users.wait().await;
            }
            close.cancel();
            Ok(())
        };
        tokio::try_join!(
            bus.publishing().keep_up(publishing, &close),
            keep_consuming,
            wait_for_users,
        )?;
        Ok(())
    }
}
