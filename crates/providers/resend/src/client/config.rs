//! Where Resend is, and who we are to it.

use outbound::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::email::is_address;

/// Where Resend is, and who we are to it.
#[derive(Debug, Clone)]
pub struct Config {
    api_key: SecretString,
    base_url: Url,
    from: String,
}

/// Settings that can't be used. The text is the sentence to tell who wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigInvalid {
    /// No address of a server.
    #[error("the base URL must be an http or https address")]
    BaseUrl,
    /// Empty, or with a character no header can carry.
    #[error("the API key must be printable ASCII and not empty")]
    ApiKey,
    /// No sender.
    #[error("the sender must be an address: `app@example.com` or `App <app@example.com>`")]
    From,
}

impl Config {
    /// Resend's own address.
    pub const BASE_URL: &str = "https://api.resend.com";

    /// Settings as a person writes them: another `base_url` than [`Config::BASE_URL`] is for tests and the sandbox,
    /// and `from` is an address of a domain that Resend has verified.
    ///
    /// # Errors
    /// [`ConfigInvalid`].
    pub fn new(
        api_key: SecretString,
        base_url: &str,
        from: impl Into<String>,
    ) -> Result<Self, ConfigInvalid> {
        let base_url = Url::parse(base_url).map_err(|_| ConfigInvalid::BaseUrl)?;
        if !matches!(base_url.scheme(), "http" | "https") {
            return Err(ConfigInvalid::BaseUrl);
        }
        let key = api_key.expose_secret();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigInvalid::ApiKey);
        }
        let from = from.into();
        if !is_address(&from) {
            return Err(ConfigInvalid::From);
        }
        Ok(Self {
            api_key,
            base_url,
            from,
        })
    }

    pub(crate) const fn api_key(&self) -> &SecretString {
        &self.api_key
    }

    pub(crate) const fn base_url(&self) -> &Url {
        &self.base_url
    }

    pub(crate) fn from(&self) -> &str {
        &self.from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_settings_are_refused_and_the_key_is_not_printed() {
        let config = |key: &str, url: &str, from: &str| Config::new(key.into(), url, from);
        let sound = config("re_123", Config::BASE_URL, "App <app@example.com>");
        let printed = format!("{:?}", sound.expect("usable settings"));
        assert!(!printed.contains("re_123"), "{printed}");
        for (key, url, from, expected) in [
            ("re_1", "api.resend.com", "a@b.co", ConfigInvalid::BaseUrl),
            ("re_1", "ftp://x", "a@b.co", ConfigInvalid::BaseUrl),
            ("", Config::BASE_URL, "a@b.co", ConfigInvalid::ApiKey),
            ("re_1\n", Config::BASE_URL, "a@b.co", ConfigInvalid::ApiKey),
            ("re_1", Config::BASE_URL, "App", ConfigInvalid::From),
        ] {
            assert_eq!(config(key, url, from).err(), Some(expected));
        }
    }
}
