//! The settings every service has: its ports, its drain, its runtime.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    time::Duration,
};

use serde::Deserialize;

use crate::{
    Environment,
    config::{Docs, Problems, Settings, Validate},
};

/// Top-level keys that the chassis keeps for itself; a service's own settings may not use them.
pub(crate) const SECTIONS: [&str; 5] = ["admin", "grpc", "http", "shutdown", "runtime"];

/// Which servers a service has, and the ports they listen on unless told otherwise. They differ
/// between services, so that all of them run on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Public or provider-facing HTTP.
    http: Option<u16>,
    /// gRPC between services.
    grpc: Option<u16>,
    /// Probes and metrics.
    admin: u16,
}

impl Ports {
    /// `first` for HTTP, the next two for gRPC and admin.
    pub const fn from(first: u16) -> Self {
        Self {
            http: Some(first),
            grpc: Some(first + 1),
            admin: first + 2,
        }
    }

    /// For a service that serves no HTTP: it has no settings for it.
    #[must_use]
    pub const fn without_http(self) -> Self {
        Self { http: None, ..self }
    }

    /// For a service that serves no gRPC: it has no settings for it.
    #[must_use]
    pub const fn without_grpc(self) -> Self {
        Self { grpc: None, ..self }
    }

    /// The sections of the settings that a service with these servers has.
    pub(crate) fn sections(self) -> Vec<&'static str> {
        let has = |section: &&str| match *section {
            "http" => self.http.is_some(),
            "grpc" => self.grpc.is_some(),
            _ => true,
        };
        SECTIONS.into_iter().filter(has).collect()
    }

    /// Any free port for each.
    pub const fn any() -> Self {
        Self {
            http: Some(0),
            grpc: Some(0),
            admin: 0,
        }
    }
}

/// Settings that every service has, besides its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Base {
    /// Probes, metrics, log level.
    pub admin: Admin,
    /// The gRPC server.
    pub grpc: GrpcListen,
    /// The HTTP server.
    pub http: Listen,
    /// How the service stops.
    pub shutdown: Drain,
    /// Threads.
    pub runtime: Runtime,
}

/// The admin server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Admin {
    /// Address and port; `None` is the service's own port.
    pub listen: Option<SocketAddr>,
}

/// A server and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Listen {
    /// Address and port; `None` is the service's own port.
    pub listen: Option<SocketAddr>,
    /// Connections served at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// How long a client may take to send a request's headers.
    pub header_timeout_ms: u64,
}

/// The gRPC server and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct GrpcListen {
    /// As for any server.
    pub listen: Option<SocketAddr>,
    /// As for any server.
    pub max_connections: usize,
    /// As for any server.
    pub header_timeout_ms: u64,
    /// The longest a call may take until its first answer, whatever the caller allows.
    pub request_timeout_ms: u64,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            listen: None,
            max_connections: 10_000,
            header_timeout_ms: 10_000,
        }
    }
}

impl Default for GrpcListen {
    fn default() -> Self {
        let Listen {
            listen,
            max_connections,
            header_timeout_ms,
        } = Listen::default();
        Self {
            listen,
            max_connections,
            header_timeout_ms,
            request_timeout_ms: 30_000,
        }
    }
}

impl Listen {
    /// How long a client may take to send a request's headers.
    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }
}

impl GrpcListen {
    /// What it has in common with other servers.
    pub(crate) fn server(&self) -> Listen {
        Listen {
            listen: self.listen,
            max_connections: self.max_connections,
            header_timeout_ms: self.header_timeout_ms,
        }
    }

    /// The longest a call may take until its first answer.
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

/// How a service stops.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Drain {
    /// From being not ready until connections are refused, so that load balancers notice. `None`
    /// is 5 s, and 0 in development.
    pub drain_delay_ms: Option<u64>,
    /// How long requests and tasks under way may take to finish.
    pub grace_ms: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            drain_delay_ms: None,
            grace_ms: 25_000,
        }
    }
}

impl Drain {
    /// No delay and a short grace, for tests.
    pub const fn immediate() -> Self {
        Self {
            drain_delay_ms: Some(0),
            grace_ms: 5_000,
        }
    }

    pub(crate) fn delay(&self, environment: Environment) -> Duration {
        let default = match environment {
            Environment::Development => 0,
            Environment::Production => 5_000,
        };
        Duration::from_millis(self.drain_delay_ms.unwrap_or(default))
    }

    pub(crate) fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

/// Threads of the process.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Runtime {
    /// Threads that run tasks; `None` is one per core, at least 2 and at most 8.
    pub worker_threads: Option<NonZeroUsize>,
}

impl Runtime {
    pub(crate) fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        self.worker_threads
            .map_or_else(|| cores().clamp(2, 8), NonZeroUsize::get)
    }
}

impl Base {
    /// Any free port on the loopback address, no drain delay: for tests.
    pub fn for_tests() -> Self {
        let any = Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
        Self {
            admin: Admin { listen: any },
            grpc: GrpcListen {
                listen: any,
                ..GrpcListen::default()
            },
            http: Listen {
                listen: any,
                ..Listen::default()
            },
            shutdown: Drain::immediate(),
            runtime: Runtime::default(),
        }
    }

    /// Fills in the addresses that were not given. On a developer's machine nothing listens to
    /// the network.
    pub(crate) fn with_ports(mut self, ports: Ports, environment: Environment) -> Self {
        let ip = match environment {
            Environment::Development => Ipv4Addr::LOCALHOST,
            Environment::Production => Ipv4Addr::UNSPECIFIED,
        };
        let own = |port| Some(SocketAddr::new(IpAddr::V4(ip), port));
        self.admin.listen = self.admin.listen.or_else(|| own(ports.admin));
        self.grpc.listen = self.grpc.listen.or_else(|| own(ports.grpc?));
        self.http.listen = self.http.listen.or_else(|| own(ports.http?));
        self
    }
}

impl Validate for Listen {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least(
            1,
            &[
                ("max_connections", self.max_connections as u64),
                ("header_timeout_ms", self.header_timeout_ms),
            ],
        );
    }
}

impl Validate for GrpcListen {
    fn validate(&self, problems: &mut Problems) {
        self.server().validate(problems);
        problems.at_least(1, &[("request_timeout_ms", self.request_timeout_ms)]);
    }
}

impl Validate for Base {
    fn validate(&self, problems: &mut Problems) {
        problems.section("grpc", &self.grpc);
        problems.section("http", &self.http);
        let mut taken: Vec<(&str, SocketAddr)> = Vec::new();
        for (key, listen) in [
            ("admin.listen", self.admin.listen),
            ("grpc.listen", self.grpc.listen),
            ("http.listen", self.http.listen),
        ] {
            let Some(address) = listen.filter(|address| address.port() != 0) else {
                continue;
            };
            if let Some((other, _)) = taken.iter().find(|(_, taken)| *taken == address) {
                problems.conflict(&[other, key], "the same address twice");
            }
            taken.push((key, address));
        }
    }
}

impl Settings for Base {
    fn docs() -> Docs {
        const LISTEN: [(&str, &str, &str); 4] = [
            (
                "listen",
                "",
                "Address and port; the service's own port on all addresses by default, on loopback in development.",
            ),
            (
                "max_connections",
                "10000",
                "Connections served at once; further ones wait.",
            ),
            (
                "header_timeout_ms",
                "10000",
                "How long a client may take to send a request's headers.",
            ),
            (
                "request_timeout_ms",
                "30000",
                "The longest a gRPC call may take until its first answer.",
            ),
        ];
        Docs::new()
            .section("admin", &LISTEN[..1])
            .section("grpc", &LISTEN)
            .section("http", &LISTEN[..3])
            .section("shutdown", &[
                ("drain_delay_ms", "", "From being not ready until connections are refused; 5000, in development 0."),
                ("grace_ms", "25000", "How long requests and tasks under way may take to finish."),
            ])
            .key("runtime.worker_threads", "", "Threads that run tasks; one per core, at least 2 and at most 8.")
    }
}
