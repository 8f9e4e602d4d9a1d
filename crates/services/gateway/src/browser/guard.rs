//! Whether a request with a cookie comes from a page of ours. A browser sends cookies by itself, whoever made the page.

use std::{borrow::Cow, collections::HashSet};

use errors::{Classify, Code, codes};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sb_http::ProblemResponse;

use super::{Session, WebOrigin};

/// Where a page repeats the token of its session.
pub(crate) const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
/// What the browser says of the page (Fetch Metadata); scripts can't set it.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reads.
    Read,
    /// Listens to events, and would keep a place for as long as it lasts.
    Listen,
    /// Changes something.
    Change,
    /// Logs in, so there is no session yet whose token could be asked for.
    LogIn,
}

/// The request is not a page's of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CrossSite {
    #[error("the request with a cookie comes from another site")]
    Site,
    #[error("the request with a cookie has not the token of its session")]
    Token,
}

impl Classify for CrossSite {
    fn code(&self) -> &'static Code {
        &codes::AUTH_CROSS_SITE
    }

    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Site => "The request does not come from a page of the application.",
            Self::Token => "The header X-CSRF-Token is missing or belongs to another session.",
        })
    }
}

impl From<CrossSite> for ProblemResponse {
    fn from(refused: CrossSite) -> Self {
        Self::of(&refused)
    }
}

/// Decides by what browsers say of the page.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Pages of ours on other origins.
    origins: HashSet<String>,
}

impl Guard {
    pub(crate) fn new<'o>(origins: impl IntoIterator<Item = &'o WebOrigin>) -> Self {
        let origins = origins.into_iter();
        Self {
            origins: origins.map(|origin| origin.as_str().to_owned()).collect(),
        }
    }

    /// Whether the page may do this.
    ///
    /// # Errors
    ///
    /// [`CrossSite::Site`]
    pub(crate) fn check_site(
        &self,
        headers: &HeaderMap,
        purpose: Purpose,
    ) -> Result<(), CrossSite> {
        let known = self.comes_from_known_origin(headers);
        let site = headers.get(SITE).map(HeaderValue::as_bytes);
        let ours = match (site, purpose) {
            // The second is typed by the person, or a bookmark.
            (Some(b"same-origin"), _) | (Some(b"none"), Purpose::Read) => true,
            (Some(b"same-site"), _) => known,
            (Some(_), _) => false,
            // An older browser says nothing of the site, and no origin where a page reads from its own.
            (None, Purpose::Read) => known || !headers.contains_key(header::ORIGIN),
            (None, _) => known,
        };
        ours.then_some(()).ok_or(CrossSite::Site)
    }

    /// Whether the browser says that a page of another site made the request, or says something unknown. A link that is
    /// typed, or a browser that says nothing, is no such page.
    pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
        let mut sites = headers.get_all(SITE).iter();
        !sites.all(|site| {
            let ours: [&[u8]; 3] = [b"same-origin", b"same-site", b"none"];
            ours.contains(&site.as_bytes())
        })
    }

    /// Whether the page knows the token of the session: the header repeats the cookie, and both were made for this login.
    ///
    /// # Errors
    ///
    /// [`CrossSite::Token`]
    pub(crate) fn check_token(
        headers: &HeaderMap,
        cookie: Option<&str>,
        session: &Session,
    ) -> Result<(), CrossSite> {
        let mut values = headers.get_all(CSRF_TOKEN).iter();
        match (values.next().map(HeaderValue::to_str), values.next()) {
            (Some(Ok(token)), None) if session.accepts(token) && cookie == Some(token) => Ok(()),
            _ => Err(CrossSite::Token),
        }
    }

    fn comes_from_known_origin(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next().map(HeaderValue::to_str), origins.next()) {
            (Some(Ok(origin)), None) => self.origins.contains(origin),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ids::SessionId;

    use super::*;

    const OURS: &str = "https://app.example.com";

    fn asks(site: Option<&str>, origin: Option<&str>, purpose: Purpose) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(SITE, site), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).expect("a value"));
            }
        }
        let ours: WebOrigin = OURS.parse().expect("an origin");
        Guard::new([&ours]).check_site(&headers, purpose).is_ok()
    }

    #[test]
    fn pages_of_ours_may_do_everything() {
        for purpose in [
            Purpose::Read,
            Purpose::Listen,
            Purpose::Change,
            Purpose::LogIn,
        ] {
            assert!(asks(Some("same-origin"), None, purpose), "{purpose:?}");
            assert!(asks(Some("same-site"), Some(OURS), purpose), "{purpose:?}");
            assert!(asks(None, Some(OURS), purpose), "{purpose:?}");
        }
    }

    #[test]
    fn pages_of_others_may_do_nothing() {
        let strangers = [
            "https://evil.example",
            "https://app.example.com.evil",
            "https://evilapp.example.com",
            "http://app.example.com",
            "null",
        ];
        for purpose in [
            Purpose::Read,
            Purpose::Listen,
            Purpose::Change,
            Purpose::LogIn,
        ] {
            for stranger in strangers {
                for site in [Some("cross-site"), Some("same-site"), None] {
                    let let_in = asks(site, Some(stranger), purpose);
                    assert!(!let_in, "{site:?} {stranger} {purpose:?}");
                }
            }
            assert!(!asks(Some("cross-site"), Some(OURS), purpose));
            assert!(!asks(Some("same-site"), None, purpose));
            assert!(!asks(Some("Same-Origin"), None, purpose));
        }
    }

    #[test]
    fn only_reading_goes_without_a_word_of_the_browser() {
        for site in [None, Some("none")] {
            assert!(asks(site, None, Purpose::Read));
            for purpose in [Purpose::Listen, Purpose::Change, Purpose::LogIn] {
                assert!(!asks(site, None, purpose), "{site:?} {purpose:?}");
            }
        }
    }

    #[test]
    fn only_a_browser_that_says_so_comes_from_another_site() {
        let is_cross_site = |sites: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for site in sites {
                headers.append(SITE, HeaderValue::from_static(site));
            }
            Guard::is_cross_site(&headers)
        };
        for ours in [&[][..], &["same-origin"], &["same-site"], &["none"]] {
            assert!(!is_cross_site(ours), "{ours:?}");
        }
        for other in [&["cross-site"][..], &[""], &["none", "cross-site"]] {
            assert!(is_cross_site(other), "{other:?}");
        }
    }

    #[test]
    fn the_token_is_one_header_of_the_same_session() {
        let session = Session::begin(SessionId::generate(), "sbr_1".into());
        let token = session.csrf_token();
        let check = |values: &[&str], cookie: Option<&str>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CSRF_TOKEN, HeaderValue::from_str(value).expect("a value"));
            }
            Guard::check_token(&headers, cookie, &session).is_ok()
        };
        assert!(check(&[&token], Some(&token)));
        assert!(!check(&[&token], None));
        assert!(!check(&[&token], Some("other")));
        assert!(!check(&[], Some(&token)));
        assert!(!check(&["x"], Some("x")));
        assert!(!check(&[&token, &token], Some(&token)));
    }
}
