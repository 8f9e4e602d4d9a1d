//! The network guard: which addresses a tenant may make us call.
//!
//! A name is resolved once, every address it has is vetted, and the connection goes to one of
//! exactly those, so an answer that changes between check and use (DNS rebinding) gains nothing.
//! Address literals skip name resolution in HTTP connectors and are therefore vetted with the URL.

mod address;
mod resolver;

use std::net::IpAddr;

pub use address::{Cidr, CidrError, refused_class};
pub(crate) use resolver::VettedResolver;
pub use resolver::{Lookup, SystemLookup};
use url::{Host, Url};

/// What tenants may name. The default is HTTPS to public addresses on port 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Also plain HTTP, for development.
    pub allow_http: bool,
    /// Ports that may be called.
    pub ports: Vec<u16>,
    /// Networks allowed although they are not public: a development sandbox.
    pub allow: Vec<Cidr>,
    /// Networks refused although they are public: our own addresses. Wins over `allow`.
    pub deny: Vec<Cidr>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_http: false,
            ports: vec![443],
            allow: Vec::new(),
            deny: Vec::new(),
        }
    }
}

/// Why an address is refused. Says nothing a tenant could map our network with: the resolved
/// address itself stays inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not HTTPS.
    #[error("only https is allowed")]
    Scheme,
    /// User name or password in the URL.
    #[error("the URL must not contain a user name or password")]
    Userinfo,
    /// No host.
    #[error("the URL has no host")]
    NoHost,
    /// A port outside the policy.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// The host is, or resolves to, an address that is not public.
    #[error("the host does not have a public address")]
    Address,
}

impl Policy {
    /// Checks everything about a URL that can be said without resolving its name: use it when a
    /// tenant registers an address. The client repeats it and vets the resolved addresses on every
    /// call.
    ///
    /// # Errors
    /// The first rule the URL breaks.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err(Refused::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Userinfo);
        }
        let port = url.port_or_known_default().ok_or(Refused::Scheme)?;
        let default_http = self.allow_http && port == 80;
        if !self.ports.contains(&port) && !default_http {
            return Err(Refused::Port(port));
        }
        match url.host() {
            None | Some(Host::Domain("")) => Err(Refused::NoHost),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.check_address(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.check_address(IpAddr::V6(address)),
        }
    }

    /// Checks one address.
    ///
    /// # Errors
    /// [`Refused::Address`] unless the address is public or allowed.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        if self.deny.iter().any(|network| network.contains(address)) {
            return Err(Refused::Address);
        }
        if self.allow.iter().any(|network| network.contains(address)) {
            return Ok(());
        }
        match refused_class(address) {
            None => Ok(()),
            Some(class) => {
                tracing::debug!(address.class = class, "an address is refused");
                Err(Refused::Address)
            }
        }
    }

    /// Checks all addresses of a name: one bad address refuses the name, since which of them gets
    /// used is not ours to say.
    pub(crate) fn check_all(&self, addresses: &[IpAddr]) -> Result<(), Refused> {
        addresses
            .iter()
            .try_for_each(|address| self.check_address(*address))
    }
}

#[cfg(test)]
mod tests;
