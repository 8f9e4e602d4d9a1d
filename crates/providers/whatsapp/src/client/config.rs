//! Where the API is.

use outbound::Url;

use crate::version::ApiVersion;

/// Where the API is, and which hosts may see a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Another one only for tests and the sandbox.
    pub base_url: Url,
    /// The version of the Graph API.
    pub version: ApiVersion,
    /// Hosts beside the base URL's that media may be fetched from, with the token.
    pub media_hosts: Vec<String>,
}

/// A text that is no address for [`Config::base_url`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https address")]
pub struct BaseUrlInvalid;

impl Config {
    /// Meta's own address.
    pub const BASE_URL: &str = "https://graph.facebook.com";

    /// The API at an address as a person writes it into the settings of a service.
    ///
    /// # Errors
    /// [`BaseUrlInvalid`]; its text is the sentence to tell that person.
    pub fn at(base_url: &str, version: ApiVersion) -> Result<Self, BaseUrlInvalid> {
        let base_url = Url::parse(base_url).map_err(|_| BaseUrlInvalid)?;
        if !matches!(base_url.scheme(), "http" | "https") {
            return Err(BaseUrlInvalid);
        }
        Ok(Self {
            base_url,
            version,
            media_hosts: vec!["lookaside.fbsbx.com".to_owned()],
        })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::at(Self::BASE_URL, ApiVersion::DEFAULT).expect("invariant: a valid URL")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_taken() {
        let at = |text: &str| Config::at(text, ApiVersion::DEFAULT);
        for sound in [Config::BASE_URL, "http://127.0.0.1:8089", "https://x/y/"] {
            assert!(at(sound).is_ok(), "{sound}");
        }
        for other in [
            "",
            "graph.facebook.com",
            "ftp://x",
            "file:///x",
            "data:x",
            "http://",
        ] {
            assert_eq!(at(other), Err(BaseUrlInvalid), "{other}");
        }
    }
}
