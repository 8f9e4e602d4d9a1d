//! The bus of one service: its two connections and who uses them.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use clock::{Clock, Jitter};
use opentelemetry::metrics::Meter;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    BusConfig, BusError, Topology,
    link::{Link, LinkHealth, Role, Wiring},
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
        let close = CancellationToken::new();
        let keep_consuming = async {
            match self.consuming().health() {
                LinkHealth::Unused => Ok(()),
                _ => self.consuming().keep_up(&close).await,
            }
        };
        let wait_for_users = async {
            stop.cancelled().await;
            for users in [self.consumers(), self.relays()] {
                users.close();
                users.wait().await;
            }
            close.cancel();
            Ok(())
        };
        tokio::try_join!(
            self.publishing().keep_up(&close),
            keep_consuming,
            wait_for_users,
        )?;
        Ok(())
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
