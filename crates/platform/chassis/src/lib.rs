//! What every service stands on: it is started, configured, observed, probed and stopped here, and
//! nowhere else. A service implements [`Service`]; its binary is
//! `fn main() -> ExitCode { chassis::main::<App>() }`; a test runs it in process with [`Host`].

mod admin;
mod base;
mod client;
pub mod config;
mod environment;
mod error;
mod health;
mod host;
mod program;
mod request;
mod server;
mod service;
mod shutdown;
mod tasks;
mod telemetry;

pub use anyhow;
pub use base::{Admin, Base, Drain, GrpcListen, Listen, Ports, Runtime};
pub use clap;
pub use client::{Channel, ChannelConfig, ChannelError, Channels, TokenSource};
pub use environment::Environment;
pub use error::StartError;
pub use health::{Health, Latch};
pub use host::{Addresses, Host, HostOptions, Listeners, Outcome};
pub use program::main;
pub use request::{REQUEST_ID, RequestId, request_id, time_left};
pub use server::Grpc;
pub use service::{Deps, Mode, Service};
pub use shutdown::Shutdown;
pub use tasks::{Failure, TaskResult, Tasks};
pub use telemetry::{Settings as TelemetrySettings, Telemetry, TelemetryError};

/// Makes ring the cryptography of every TLS connection. Without it the HTTP client panics when it
/// is built. Programs, hosts and channels call it; a test that builds a client by itself must too.
pub fn install_crypto() {
    // An error says that a provider is installed already, by an earlier call.
    drop(rustls::crypto::ring::default_provider().install_default());
}
