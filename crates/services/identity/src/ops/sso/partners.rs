//! Whom single sign-on talks to: identity providers and name servers.

use std::time::Duration;

use clock::Clock;
use hickory_resolver::net::NetError;
use http::Method;
use oidc::Limits;
use outbound::guard::{Cidr, Policy};
use saml::Transport;
use url::Url;

use super::dns::Dns;
use crate::{Error, SsoError, config::Sso, domain::sso::Addresses};

/// The largest metadata that is read, in bytes: what a SAML document may have at most.
const MAX_METADATA: usize = saml::document::MAX_BYTES;

/// Of one call to an OpenID provider; `budget` bounds all that an operation makes.
const CALL: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub(crate) struct Partners {
    pub(crate) oidc: oidc::Client,
    pub(crate) dns: Dns,
    /// Which addresses SAML metadata may name.
    pub(crate) transport: Transport,
    http: outbound::Client,
    /// `None` where nobody said how browsers reach us.
    addresses: Option<Addresses>,
}

/// Single sign-on can't be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetUpError {
    #[error(transparent)]
    Http(#[from] outbound::BuildError),
    #[error("read the configuration of the name servers")]
    Dns(#[from] NetError),
}

impl Partners {
    pub(crate) fn open(config: &Sso, clock: &Clock) -> Result<Self, SetUpError> {
        let policy = policy(&config.loopback_ports);
        let transport = if config.loopback_ports.is_empty() {
            Transport::Https
        } else {
            Transport::HttpOnLoopback
        };
        let oidc = oidc::Config {
            policy: policy.clone(),
            limits: Limits {
                deadline: CALL,
                ..Limits::default()
            },
            ..oidc::Config::default()
        };
        let guarded = outbound::Config {
            max_response_bytes: MAX_METADATA,
            ..outbound::Config::for_tenant_addresses(policy)
        };
        Ok(Self {
            oidc: oidc::Client::new(oidc, clock.clone())?,
            dns: Dns::open(config.dns_server)?,
            transport,
            http: outbound::Client::new("sso-metadata", guarded, clock.clone())?,
            addresses: config.public_url().map(Addresses::new),
        })
    }

    /// Ours, which providers are told.
    pub(crate) fn addresses(&self) -> Result<&Addresses, Error> {
        Ok(self.addresses.as_ref().ok_or(SsoError::NotConfigured)?)
    }

    /// What is at the address of a provider's metadata, or why nothing is, for the administrator.
    pub(crate) async fn metadata(&self, address: &str) -> Result<Vec<u8>, String> {
        let url = Url::parse(address)
            .map_err(|_| "The address of the metadata is not a web address.".to_owned())?;
        let unreadable = |problem: &dyn std::fmt::Display| {
            format!("The address of the metadata could not be read: {problem}.")
        };
        let request = self.http.request("metadata.get", Method::GET, url);
        let answer = request
            .send()
            .await
            .map_err(|error| unreadable(&oidc::Trouble::from(error)))?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(unreadable(&format_args!(
                "it answers with the status {status}"
            )));
        }
        Ok(answer.body().to_vec())
    }
}

/// Public addresses over HTTPS; and this machine's own where a developer's provider runs.
fn policy(loopback_ports: &[u16]) -> Policy {
    if loopback_ports.is_empty() {
        return Policy::default();
    }
    let loopback: Cidr = "127.0.0.0/8".parse().expect("a network");
    let mut policy = Policy {
        allow_http: true,
        allow: vec![loopback],
        ..Policy::default()
    };
    policy.ports.extend(loopback_ports);
    policy
}
