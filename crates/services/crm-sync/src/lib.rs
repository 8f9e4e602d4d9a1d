//! Two-way synchronization with CRMs. The service stands on the chassis and is probed and drained like every other; its RPCs are
//! not there yet.

use chassis::{Deps, Grpc, Ports, Service, anyhow};

/// The service.
#[derive(Debug)]
pub struct App;

impl Service for App {
    const NAME: &'static str = "crm-sync";
    const ABOUT: &'static str = "Two-way synchronization with CRMs";
    const PORTS: Ports = Ports::from(8099).without_http();

    type Config = ();

    async fn build(_config: (), _deps: Deps) -> anyhow::Result<Self> {
        Ok(Self)
    }

    /// Health only.
    fn grpc(&self) -> Option<Grpc> {
        Some(Grpc::new(&[]))
    }
}
