//! How a client behaves unless a call says otherwise.

use std::time::Duration;

use crate::{breaker, guard::Policy};

/// Which addresses a client may reach.
#[derive(Debug, Clone)]
pub enum Network {
    /// The address comes from our own configuration.
    Trusted,
    /// The address comes from a tenant: only public addresses that pass the policy, vetted after
    /// name resolution.
    Public(Policy),
}

/// Settings of a [`Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct Config {
    /// Sent as `User-Agent`; some media hosts refuse requests without one.
    pub user_agent: String,
    /// From the first lookup to the end of the TLS handshake.
    pub connect_timeout: Duration,
    /// From the call to the last byte of the answer, retries included. Short totals create unknown
    /// outcomes, so the default is generous.
    pub deadline: Duration,
    /// Answers over this many (decoded) bytes are abandoned.
    pub max_response_bytes: usize,
    /// Stop calling a party that fails; `None` where one client talks to unrelated parties.
    pub breaker: Option<breaker::Settings>,
    /// Which addresses may be reached.
    pub network: Network,
    /// Fixes the jitter of retries, for tests.
    pub jitter_seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: concat!("switchboard/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(3),
            deadline: Duration::from_secs(30),
            max_response_bytes: 1024 * 1024,
            breaker: Some(breaker::Settings::default()),
            network: Network::Trusted,
            jitter_seed: None,
        }
    }
}

impl Config {
    /// For addresses that tenants choose: no shared breaker (one tenant's dead server must not stop
    /// another's), a 64 KiB answer, 15 s in total.
    pub fn for_tenant_addresses(policy: Policy) -> Self {
        Self {
            deadline: Duration::from_secs(15),
            max_response_bytes: 64 * 1024,
            breaker: None,
            network: Network::Public(policy),
            ..Self::default()
        }
    }
}
