//! Browser sessions: the tokens of a login in cookies that no script can read.
//!
//! Three cookies are set together, so that each replica can serve the next request without asking another:
//!
//! - `__Host-sb_session` (HttpOnly) has a secret of this login and its refresh token;
//! - `__Host-sb_access` (HttpOnly) has the access token of the moment, the same that programs send;
//! - `__Host-sb_csrf` has the token that a page repeats in `X-CSRF-Token`: a MAC over the session's id under the
//!   secret, so it belongs to one login and stays the same while the tokens are renewed.
//!
//! Nothing is encrypted again: the refresh token is opaque and the access token signed by identity, and whoever gets hold
//! of a cookie is let in with it as it is. So there is no key to keep.

mod cookies;
mod flow;
mod guard;
mod session;
mod sessions;
mod visit;

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};

pub(crate) use self::{
    cookies::Cookies,
    flow::FlowCookie,
    guard::{CSRF_TOKEN, CrossSite, Guard, Purpose},
    session::Session,
    sessions::{Ask, Sessions},
    visit::{Issued, Visit},
};

/// What a browser calls an origin: `https://app.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an origin such as https://app.example.com; http is for this machine only, as http://localhost:3000"
)]
pub struct WebOriginInvalid;

impl WebOrigin {
    /// As `Origin` says it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for WebOrigin {
    type Err = WebOriginInvalid;

    fn from_str(text: &str) -> Result<Self, WebOriginInvalid> {
        let url = Url::parse(text).map_err(|_| WebOriginInvalid)?;
        let local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let origin = url.origin().ascii_serialization();
        // A path, a user, a default port or another case would never be equal to what a browser says.
        let exact = origin == text;
        match url.scheme() {
            "https" if exact => Ok(Self(origin)),
            "http" if exact && local => Ok(Self(origin)),
            _ => Err(WebOriginInvalid),
        }
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WebOrigin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.trim().parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
        ] {
            let origin: WebOrigin = good.parse().expect(good);
            assert_eq!(origin.as_str(), good);
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/inbox",
            "https://App.example.com",
            "https://app.example.com:443",
            "https://user@app.example.com",
            "http://app.example.com",
            "file:///etc",
        ] {
            assert_eq!(bad.parse::<WebOrigin>(), Err(WebOriginInvalid), "{bad}");
        }
    }
}
