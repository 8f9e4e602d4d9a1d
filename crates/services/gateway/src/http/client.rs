//! Where a request comes from, for the services: they brake guessing by it and show it to people who review logins.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sb_http::client::{self, Network};

const ADDRESS: HeaderName = HeaderName::from_static(auth::metadata::CLIENT_ADDRESS);
const AGENT: HeaderName = HeaderName::from_static(auth::metadata::CLIENT_AGENT);

/// A caller's address and program.
#[derive(Clone, Default)]
pub(super) struct Client {
    /// `None` where the router is asked without a server.
    address: Option<IpAddr>,
    agent: Option<HeaderValue>,
}

impl Client {
    /// Whoever sent the request, behind these proxies or not.
    pub(super) fn of(request: &Request, trusted: &[Network]) -> Self {
        let headers = request.headers();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let agent = headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .map(|agent| &agent[..agent.len().min(auth::metadata::CLIENT_AGENT_LENGTH)])
            .and_then(|agent| HeaderValue::from_str(agent).ok());
        Self {
            address: peer.map(|ConnectInfo(peer)| client::address(peer.ip(), headers, trusted)),
            agent,
        }
    }

    pub(super) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Adds it to a call's metadata.
    pub(super) fn tell(&self, metadata: &mut HeaderMap) {
        let address = self.address.map(|address| address.to_string());
        if let Some(address) = address.and_then(|address| HeaderValue::try_from(address).ok()) {
            metadata.insert(ADDRESS, address);
        }
        if let Some(agent) = &self.agent {
            metadata.insert(AGENT, agent.clone());
        }
    }
}
