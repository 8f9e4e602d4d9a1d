//! Drafts, analysis and automatic replies. The service stands on the chassis and is probed and drained like every other; its RPCs are
//! not there yet.

use chassis::{Deps, Grpc, Ports, Service, anyhow};

/// The service.
#[derive(Debug)]
pub struct App;

impl Service for App {
    const NAME: &'static str = "ai";
    const ABOUT: &'static str = "Drafts, analysis and automatic replies";
    const PORTS: Ports = Ports::from(8096).without_http();

    type Config = ();

    async fn build(_config: (), _deps: Deps) -> anyhow::Result<Self> {
        Ok(Self)
    }

    /// Health only.
    fn grpc(&self) -> Option<Grpc> {
        Some(Grpc::new(&[]))
    }
}
