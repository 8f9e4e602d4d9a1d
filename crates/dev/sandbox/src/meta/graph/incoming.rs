//! The request line of a Graph call.

use std::collections::HashMap;

use axum::extract::Query;
use http::{Method, header, request::Parts};

/// Meta: a call without a version gets the app's default.
const DEFAULT_VERSION: &str = "v25.0";
/// Meta answers calls to expired versions with the oldest living one. As of November 2026 that is
/// v21.0.
const OLDEST_LIVING: u32 = 21;
const OLDEST_LIVING_VERSION: &str = "v21.0";

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) method: Method,
    version: Option<String>,
    /// The path without the version.
    pub(super) segments: Vec<String>,
    pub(super) query: HashMap<String, String>,
    pub(super) token: Option<String>,
}

impl Incoming {
    pub(super) fn read(parts: &Parts) -> Self {
        let mut segments: Vec<_> = parts
            .uri
            .path()
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(str::to_owned)
            .collect();
        let versioned = segments
            .first()
            .is_some_and(|first| version_of(first).is_some());
        let version = versioned.then(|| segments.remove(0));
        let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)
            .map(|Query(query)| query)
            .unwrap_or_default();
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| {
                scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth")
            })
            .map(|(_, token)| token.trim().to_owned())
            .or_else(|| query.get("access_token").cloned())
            .filter(|token| !token.is_empty());
        Self {
            method: parts.method.clone(),
            version,
            segments,
            query,
            token,
        }
    }

    /// What `facebook-api-version` says.
    pub(super) fn answered_as(&self) -> &str {
        match &self.version {
            Some(version) if version_of(version).is_some_and(|major| major < OLDEST_LIVING) => {
                OLDEST_LIVING_VERSION
            }
            Some(version) => version,
            None => DEFAULT_VERSION,
        }
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// The major number of `v25.0`.
fn version_of(segment: &str) -> Option<u32> {
    let (major, minor) = segment.strip_prefix('v')?.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(minor) || !digits(major) {
        return None;
    }
    major.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(uri: &str) -> Incoming {
        let request = Request::get(uri).body(()).expect("a request");
        Incoming::read(&request.into_parts().0)
    }

    #[test]
    fn any_version_or_none_is_taken() {
        assert_eq!(read("/v26.0/1/messages").answered_as(), "v26.0");
        assert_eq!(read("/v18.0/1/messages").answered_as(), "v21.0");
        let bare = read("/1/messages?fields=a%2Cb");
        assert_eq!(bare.answered_as(), "v25.0");
        assert_eq!(bare.segments, ["1", "messages"]);
        assert_eq!(bare.query("fields"), Some("a,b"));
        assert_eq!(read("/v1x.0/1").segments.len(), 2);
    }
}
