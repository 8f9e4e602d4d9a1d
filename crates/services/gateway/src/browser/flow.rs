//! The cookie of a login that goes to an identity provider.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::cookies::{Cookies, find_named};

/// As long as identity waits for a login to come back.
const LASTS: Duration = Duration::from_mins(10);
/// Names what the hash is for.
const CONTEXT: &[u8] = b"switchboard.flow-cookie/1";

/// One login's cookie. Each has its own, so that logins in two tabs do not disturb each other. A SAML provider's page sends
/// a form from another site, which only a cookie with `SameSite=None` survives; it opens nothing but the login that it
/// was begun with.
#[derive(Debug, Clone)]
pub(crate) struct FlowCookie {
    name: String,
    insecure: bool,
}

impl FlowCookie {
    /// Of the login with this `state` (OpenID Connect) or `RelayState` (SAML). That is a secret of the login, so the name
    /// has only a hash of it.
    pub(crate) fn of(cookies: Cookies, state: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(CONTEXT)
            .chain_update(state)
            .finalize();
        let prefix = if cookies.insecure {
            "sb_flow"
        } else {
            "__Host-sb_flow"
        };
        Self {
            name: format!("{prefix}_{}", hex::encode(&hash[..8])),
            insecure: cookies.insecure,
        }
    }

    /// `Set-Cookie` with the secret that ends the login.
    pub(crate) fn keep(&self, secret: &SecretString) -> HeaderValue {
        let (secret, flags) = (secret.expose_secret(), self.flags(LASTS));
        let text = format!("{}={secret}; {flags}", self.name);
        HeaderValue::try_from(text).map_or_else(
            |_| self.forget(),
            |mut header| {
                header.set_sensitive(true);
                header
            },
        )
    }

    /// The secret that the browser sent; empty without one, or with several.
    pub(crate) fn find(&self, headers: &HeaderMap) -> String {
        let found = find_named(headers, &self.name);
        found.unwrap_or_default().to_owned()
    }

    /// `Set-Cookie` that makes the browser forget it.
    pub(crate) fn forget(&self) -> HeaderValue {
        let flags = self.flags(Duration::ZERO);
        HeaderValue::try_from(format!("{}=; {flags}", self.name))
            .expect("names and flags are ASCII")
    }

    /// Without TLS no browser takes `SameSite=None`; OpenID providers come back by a link, for which `Lax` is enough.
    fn flags(&self, lasts: Duration) -> String {
        let site = if self.insecure { "Lax" } else { "None; Secure" };
        format!(
            "Path=/; Max-Age={}; HttpOnly; SameSite={site}",
            lasts.as_secs()
        )
    }
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    const COOKIES: Cookies = Cookies {
        insecure: false,
        keep: Duration::from_hours(1),
    };

    #[test]
    fn each_login_finds_its_own_secret() {
        let (one, other) = (FlowCookie::of(COOKIES, "a"), FlowCookie::of(COOKIES, "b"));
        let mut headers = HeaderMap::new();
        for (cookie, secret) in [(&one, "1"), (&other, "2")] {
            let set = cookie.keep(&secret.into());
            let pair = set.to_str().expect("text").split(';').next();
            let pair = HeaderValue::from_str(pair.expect("a pair")).expect("a value");
            headers.append(header::COOKIE, pair);
        }
        assert_eq!(one.find(&headers), "1");
        assert_eq!(other.find(&headers), "2");
        assert_eq!(FlowCookie::of(COOKIES, "c").find(&headers), "");
    }

    #[test]
    fn neither_the_state_nor_a_second_header_gets_into_the_cookie() {
        let cookie = FlowCookie::of(COOKIES, "state-of-the-login");
        let set = cookie.keep(&"secret".into());
        assert!(set.is_sensitive());
        assert!(!set.to_str().expect("text").contains("state-of"));
        let split = cookie.keep(&"a\r\nset-cookie: b=c".into());
        assert_eq!(split, cookie.forget());
    }
}
