//! Addresses of the app that letters lead to.

use outbound::Url;
use secrecy::{ExposeSecret, SecretString};

/// Where the app is: from the configuration, never from a request, whose `Host` anybody can choose.
#[derive(Debug, Clone)]
pub(crate) struct AppUrl(Url);

/// Not an address that people can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an https address without a query, such as https://app.example.com")]
pub(crate) struct NoAppUrl;

impl AppUrl {
    /// `http` is for this machine only: the secret of a link must not cross a network in the clear.
    pub(crate) fn parse(text: &str) -> Result<Self, NoAppUrl> {
        let url = Url::parse(text).map_err(|_| NoAppUrl)?;
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_local;
        let is_plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_safe && is_plain {
            Ok(Self(url))
        } else {
            Err(NoAppUrl)
        }
    }

    /// A page of the app.
    pub(crate) fn page(&self, path: &[&str]) -> String {
        self.join(path).into()
    }

    /// A page of the app that gets a secret. It is in the fragment, which browsers send to no server: it gets into no
    /// log and no `Referer`.
    pub(crate) fn with_secret(&self, path: &[&str], secret: &SecretString) -> String {
        let mut url = self.join(path);
        url.set_fragment(Some(&format!("secret={}", secret.expose_secret())));
        url.into()
    }

    fn join(&self, path: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_configured_app_and_keep_their_secret_from_servers() {
        for (app, expected) in [
            (
                "https://app.example.com",
                "https://app.example.com/reset-password#secret=sbl_x-_1",
            ),
            (
                "https://example.com/app/",
                "https://example.com/app/reset-password#secret=sbl_x-_1",
            ),
            (
                "http://localhost:3000",
                "http://localhost:3000/reset-password#secret=sbl_x-_1",
            ),
        ] {
            let app = AppUrl::parse(app).unwrap();
            assert_eq!(
                app.with_secret(&["reset-password"], &"sbl_x-_1".into()),
                expected
            );
        }
        let app = AppUrl::parse("https://app.example.com").unwrap();
        assert_eq!(
            app.page(&["settings", "security"]),
            "https://app.example.com/settings/security"
        );
    }

    #[test]
    fn addresses_that_would_give_secrets_away_are_refused() {
        for text in [
            "",
            "app.example.com",
            "http://app.example.com",
            "javascript:alert(1)",
            "https://u:p@app.example.com",
            "https://app.example.com/?a=b",
            "https://app.example.com/#a",
        ] {
            assert_eq!(AppUrl::parse(text).err(), Some(NoAppUrl), "{text}");
        }
    }
}
