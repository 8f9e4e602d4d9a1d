use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clock::Clock;

use crate::{Environment, Mode, Telemetry, base::Drain};

/// What all services of a process share.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Where it runs.
    pub environment: Environment,
    /// The time.
    pub clock: Clock,
    /// Where metrics are made and rendered.
    pub telemetry: Telemetry,
    /// Where probes and metrics are served; `None` for a process without.
    pub admin: Option<SocketAddr>,
    /// How it stops.
    pub drain: Drain,
    /// Which halves of the services run.
    pub mode: Mode,
}

impl HostOptions {
    /// Free ports on loopback, no drain delay, telemetry of its own.
    pub fn for_tests(clock: Clock) -> Self {
        Self {
            environment: Environment::Development,
            clock,
            telemetry: Telemetry::local(),
            admin: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)),
            drain: Drain::immediate(),
            mode: Mode::ALL,
        }
    }
}
