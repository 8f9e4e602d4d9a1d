//! Where the API is.

use outbound::Url;
use serde::{Deserialize, Deserializer, de};

use crate::version::ApiVersion;

/// Where the API is, and which hosts may see a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Another one only for tests and the sandbox.
    #[serde(deserialize_with = "url")]
    pub base_url: Url,
    /// The version of the Graph API.
    pub version: ApiVersion,
    /// Hosts beside the base URL's that media may be fetched from, with the token.
    pub media_hosts: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: Url::parse("https://graph.facebook.com").expect("invariant: a valid URL"),
            version: ApiVersion::DEFAULT,
            media_hosts: vec!["lookaside.fbsbx.com".to_owned()],
        }
    }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).map_err(de::Error::custom)?;
    if url.cannot_be_a_base() || !matches!(url.scheme(), "http" | "https") {
        return Err(de::Error::custom("must be a web address"));
    }
    Ok(url)
}
