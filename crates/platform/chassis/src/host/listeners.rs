use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::{Base, Environment, Service, StartError, server};

/// Where a service listens; `None` for what it does not serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Its gRPC server.
    pub grpc: Option<SocketAddr>,
    /// Its HTTP server.
    pub http: Option<SocketAddr>,
}

/// Open ports waiting for their service. Clients that connect meanwhile wait.
#[derive(Debug)]
pub struct Listeners {
    pub(super) grpc: Option<TcpListener>,
    pub(super) http: Option<TcpListener>,
}

impl Listeners {
    /// Opens both ports that `base` names; without an address, any free one on loopback.
    ///
    /// # Errors
    /// If a port cannot be opened.
    pub async fn open(base: &Base) -> Result<Self, StartError> {
        Ok(Self {
            grpc: Some(take(None, base.grpc.listen).await?),
            http: Some(take(None, base.http.listen).await?),
        })
    }

    /// Opens the ports where a service listens: its own ones unless `base` says otherwise.
    ///
    /// # Errors
    /// If a port cannot be opened.
    pub async fn open_for<S: Service>(
        base: &Base,
        environment: Environment,
    ) -> Result<Self, StartError> {
        Self::open(&base.clone().with_ports(S::PORTS, environment)).await
    }

    pub(super) fn none() -> Self {
        Self {
            grpc: None,
            http: None,
        }
    }

    /// Where the service will listen.
    pub fn addresses(&self) -> Addresses {
        let of = |listener: &Option<TcpListener>| listener.as_ref()?.local_addr().ok();
        Addresses {
            grpc: of(&self.grpc),
            http: of(&self.http),
        }
    }
}

/// The open port if there is one, else a new one at `address`.
pub(super) async fn take(
    open: Option<TcpListener>,
    address: Option<SocketAddr>,
) -> Result<TcpListener, StartError> {
    let any = || SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    match open {
        Some(listener) => Ok(listener),
        None => server::bind(address.unwrap_or_else(any)).await,
    }
}
