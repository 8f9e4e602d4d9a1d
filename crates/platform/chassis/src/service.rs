//! What a service is to the chassis.

use std::future::Future;

use clock::{Clock, Jitter};
use opentelemetry::metrics::Meter;

use crate::{Grpc, Health, Ports, Shutdown, Tasks, client::Channels, config::Settings};

/// One of the platform's services: how to build it, what it serves and what it does on its own.
///
/// The order of a life: `build` (pools, clients; no port is open, nothing runs), then `serve` starts
/// what requests need and the servers listen, then `start` begins background work and the service
/// becomes ready. On a signal it stops being ready, takes no new work, finishes what is under way,
/// and `finish` closes what `build` opened.
///
/// A process may run one half only: `serve --no-worker` leaves `start` out, `worker` leaves out
/// `serve` and the servers.
pub trait Service: Sized + Send + Sync + 'static {
    /// Its name in variables, logs, metrics and commands: `crm-sync`.
    const NAME: &'static str;

    /// What it does, in one line.
    const ABOUT: &'static str;

    /// Where it listens unless told otherwise.
    const PORTS: Ports;

    /// Its settings; `()` for none.
    type Config: Settings;

    /// Builds the service from its settings. Register probes and latches with `deps.health` here.
    fn build(config: Self::Config, deps: Deps)
    -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// What it serves over gRPC, if anything.
    fn grpc(&self) -> Option<Grpc> {
        None
    }

    /// What it serves over HTTP, if anything.
    fn http(&self) -> Option<axum::Router> {
        None
    }

    /// Starts what requests need, with `deps.tasks`: a writer that groups their rows, a feed that
    /// streams read from. Runs before the servers listen, and only if they will.
    fn serve(&self, deps: &Deps) {
        let _: &Deps = deps;
    }

    /// Starts its background work with `deps.tasks`: what has to be done whether or not anybody
    /// asks. Not in a process that serves requests only.
    fn start(&self, deps: &Deps) {
        let _: &Deps = deps;
    }

    /// Ends it, after everything under way has ended: a last relay pass, then close pools and
    /// connections. At most 5 s.
    fn finish(self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Brings its schema up to date: the `migrate` command.
    fn migrate(
        config: Self::Config,
        deps: Deps,
    ) -> impl Future<Output = anyhow::Result<()>> + Send {
        drop((config, deps));
        async { Ok(()) }
    }

    /// Commands of its own, besides those every service has.
    fn commands() -> Vec<clap::Command> {
        Vec::new()
    }

    /// Runs one of its own commands.
    fn command(
        name: &str,
        arguments: &clap::ArgMatches,
        config: Self::Config,
        deps: Deps,
    ) -> impl Future<Output = anyhow::Result<()>> + Send {
        drop((arguments.clone(), config, deps));
        let error = anyhow::anyhow!("{} has no command {name}", Self::NAME);
        async { Err(error) }
    }
}

/// What the chassis gives a service. Cheap to clone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deps {
    /// The time.
    pub clock: Clock,
    /// Spreads pauses, so that replicas do not wake up together.
    pub jitter: Jitter,
    /// Starts and tracks background tasks.
    pub tasks: Tasks,
    /// When to stop; the same as `tasks.shutdown()`.
    pub shutdown: Shutdown,
    /// Latches and probes that make the service ready.
    pub health: Health,
    /// Makes its metrics.
    pub meter: Meter,
    /// Makes its channels to other services.
    pub channels: Channels,
}

/// Which halves of a service run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Its servers listen.
    pub requests: bool,
    /// Its background work runs.
    pub work: bool,
}

impl Mode {
    /// Both halves.
    pub const ALL: Self = Self {
        requests: true,
        work: true,
    };
    /// Neither: for commands that only need what the service is built of.
    pub const NONE: Self = Self {
        requests: false,
        work: false,
    };
}
