//! Names and flags of the cookies.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

/// Browsers keep no longer ones (RFC 6265), name included.
const LONGEST: usize = 4096;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The login.
    Session,
    /// The access token of the moment.
    Access,
    /// What pages repeat in a header; the only one that scripts may read.
    Csrf,
}

/// How cookies are written and read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Plain names without `Secure`, for development over HTTP.
    pub(crate) insecure: bool,
    /// How long a browser keeps a login that it does not use.
    pub(crate) keep: Duration,
}

impl Cookies {
    /// Each of them.
    pub(crate) const ALL: [Cookie; 3] = [Cookie::Session, Cookie::Access, Cookie::Csrf];

    /// `__Host-`: browsers take it from this host only, over TLS only, for every path, so that no neighbour under the same
    /// domain can plant one.
    const fn name(self, cookie: Cookie) -> &'static str {
        match (cookie, self.insecure) {
            (Cookie::Session, false) => "__Host-sb_session",
            (Cookie::Access, false) => "__Host-sb_access",
            (Cookie::Csrf, false) => "__Host-sb_csrf",
            (Cookie::Session, true) => "sb_session",
            (Cookie::Access, true) => "sb_access",
            (Cookie::Csrf, true) => "sb_csrf",
        }
    }

    /// The value that the browser sent; `None` also where it sent several, which no browser does with names like ours.
    pub(crate) fn find(self, headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
        find_named(headers, self.name(cookie))
    }

    /// Whether the browser sent a login, readable or not.
    pub(crate) fn has_login(self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .any(|pair| {
                pair.trim_ascii_start()
                    .strip_prefix(self.name(Cookie::Session).as_bytes())
                    .is_some_and(|rest| rest.starts_with(b"="))
            })
    }

    /// `Set-Cookie` that keeps the value; `None` for one that no browser would keep.
    pub(crate) fn keep(
        self,
        cookie: Cookie,
        value: &SecretString,
        lasts: Duration,
    ) -> Option<HeaderValue> {
        let name = self.name(cookie);
        let value = value.expose_secret();
        if name.len() + value.len() > LONGEST {
            return None;
        }
        let text = format!("{name}={value}; {}", self.flags(cookie, lasts));
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// `Set-Cookie` that makes the browser forget it.
    pub(crate) fn forget(self, cookie: Cookie) -> HeaderValue {
        let flags = self.flags(cookie, Duration::ZERO);
        HeaderValue::try_from(format!("{}=; {flags}", self.name(cookie)))
            .expect("names and flags are ASCII")
    }

    /// Strict: the gateway serves no pages, so nobody comes here by a link, and a page's own requests carry the cookie
    /// however the page was reached.
    fn flags(self, cookie: Cookie, lasts: Duration) -> String {
        let mut flags = format!("Path=/; Max-Age={}; SameSite=Strict", lasts.as_secs());
        if !self.insecure {
            flags.push_str("; Secure");
        }
        if cookie != Cookie::Csrf {
            flags.push_str("; HttpOnly");
        }
        flags
    }
}

/// The value of the cookie with this name, unless there are several.
pub(super) fn find_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECURE: Cookies = Cookies {
        insecure: false,
        keep: Duration::from_hours(24),
    };

    fn sent(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::COOKIE, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = sent(&["a=b; __Host-sb_session=1.x", "__Host-sb_csrf=c="]);
        assert_eq!(SECURE.find(&headers, Cookie::Session), Some("1.x"));
        assert_eq!(SECURE.find(&headers, Cookie::Csrf), Some("c="));
        assert_eq!(SECURE.find(&headers, Cookie::Access), None);
        assert!(SECURE.has_login(&headers));
    }

    #[test]
    fn two_of_one_name_are_none_and_other_names_do_not_count() {
        let twice = sent(&["__Host-sb_session=1; __Host-sb_session=2"]);
        assert_eq!(SECURE.find(&twice, Cookie::Session), None);
        assert!(SECURE.has_login(&twice));
        for other in [
            "sb_session=1",
            "__Host-sb_session2=1",
            "x__Host-sb_session=1",
        ] {
            let headers = sent(&[other]);
            assert!(!SECURE.has_login(&headers), "{other}");
            assert_eq!(SECURE.find(&headers, Cookie::Session), None, "{other}");
        }
    }

    #[test]
    fn a_value_that_no_browser_keeps_is_not_sent() {
        let lasts = Duration::from_secs(1);
        let long = SecretString::from("a".repeat(LONGEST));
        assert!(SECURE.keep(Cookie::Access, &long, lasts).is_none());
        let split = SecretString::from("a\r\nset-cookie: b=c");
        assert!(SECURE.keep(Cookie::Access, &split, lasts).is_none());
    }
}
