//! Our addresses that identity providers know.

use ids::SsoConnectionId;
use saml::ServiceProvider;
use url::Url;

/// Made from the gateway's public address. Each connection has its own, so that an answer tells by where it arrives
/// whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// Ends with a slash.
    base: Url,
}

impl Addresses {
    pub(crate) fn new(mut public_url: Url) -> Self {
        if !public_url.path().ends_with('/') {
            let path = format!("{}/", public_url.path());
            public_url.set_path(&path);
        }
        Self { base: public_url }
    }

    fn of(&self, kind: &str, connection: SsoConnectionId, end: &str) -> Url {
        let path = format!("sso/{kind}/{connection}/{end}");
        self.base
            .join(&path)
            .expect("a relative path of letters and slashes joins any https address")
    }

    /// Where an OpenID provider sends the browser.
    pub(crate) fn redirect_uri(&self, connection: SsoConnectionId) -> Url {
        self.of("oidc", connection, "callback")
    }

    /// We, as a SAML provider knows us.
    pub(crate) fn service_provider(&self, connection: SsoConnectionId) -> ServiceProvider {
        ServiceProvider {
            entity_id: self.of("saml", connection, "metadata").into(),
            acs_url: self.of("saml", connection, "acs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_has_addresses_of_its_own() {
        let id = SsoConnectionId::generate();
        for base in ["https://api.example", "https://api.example/"] {
            let addresses = Addresses::new(base.parse().unwrap());
            let uri = addresses.redirect_uri(id).to_string();
            assert_eq!(uri, format!("https://api.example/sso/oidc/{id}/callback"));
            let us = addresses.service_provider(id);
            assert_eq!(
                us.entity_id,
                format!("https://api.example/sso/saml/{id}/metadata")
            );
            let acs = us.acs_url.to_string();
            assert_eq!(acs, format!("https://api.example/sso/saml/{id}/acs"));
        }
        let addresses = Addresses::new("https://example.com/api".parse().unwrap());
        let uri = addresses.redirect_uri(id).to_string();
        assert_eq!(
            uri,
            format!("https://example.com/api/sso/oidc/{id}/callback")
        );
    }
}
