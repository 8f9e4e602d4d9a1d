//! The settings of single sign-on.

use std::net::SocketAddr;

use chassis::config::{Docs, Problems};
use serde::Deserialize;
use url::{Host, Url};

/// Login through organizations' own identity providers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Sso {
    /// Where browsers reach the gateway: identity providers send them there. The gateway has the same as `api.public_url`.
    /// Without it single sign-on is off.
    pub public_url: String,
    /// Ports of this machine where identity providers may speak plain HTTP. For development: empty in production.
    pub loopback_ports: Vec<u16>,
    /// Who is asked for DNS records; the system's name servers without it.
    pub dns_server: Option<SocketAddr>,
}

impl Sso {
    /// The address in `public_url`, if it can be one.
    pub(crate) fn public_url(&self) -> Option<Url> {
        let url = Url::parse(&self.public_url).ok()?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        let is_bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        (is_safe && is_bare).then_some(url)
    }

    pub(super) fn validate(&self, problems: &mut Problems) {
        if !self.public_url.is_empty() && self.public_url().is_none() {
            problems.invalid(
                "sso.public_url",
                "must be an https address such as https://api.example.com (http only on this machine), without a query",
            );
        }
    }

    pub(super) fn document(docs: Docs) -> Docs {
        docs.key(
            "sso.public_url",
            "",
            "Where browsers reach the gateway, `https://api.example.com`: identity providers send them there; the same as the gateway's `api.public_url`. Without it single sign-on is off.",
        )
        .key(
            "sso.loopback_ports",
            "[]",
            "Ports of this machine where identity providers may speak plain HTTP. For development: empty in production.",
        )
        .key(
            "sso.dns_server",
            "",
            "Address and port of the name server that is asked for the records of e-mail domains; the system's without it.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_sent_back_over_https_or_to_this_machine() {
        let url = |text: &str| {
            let sso = Sso {
                public_url: text.to_owned(),
                ..Sso::default()
            };
            sso.public_url().map(|url| url.to_string())
        };
        for good in [
            "https://api.example.com/",
            "https://example.com/api",
            "http://localhost:8080/",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080/",
        ] {
            assert_eq!(url(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "api.example.com",
            "http://api.example.com",
            "https://a:b@x.example",
            "https://x.example/?a",
            "ftp://x.example",
        ] {
            assert_eq!(url(bad), None, "{bad}");
        }
    }
}
