//! The checks, and what follows from them.

use outbound::guard::Policy;
use url::{Host, Url};

use super::{Document, Faults, SetupFault};
use crate::{
    Kind, Settings,
    http::Endpoint,
    issuer::{self, Issuer},
    keys::Algorithm,
    shown::Shown,
};

/// Which addresses a provider may have.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
}

/// How we prove at the token endpoint who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuthentication {
    /// A public client only says who it is.
    None,
    Basic,
    Post,
}

/// How to log somebody in at a provider that passed the checks.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) issuer: Issuer,
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) keys: Url,
    pub(crate) userinfo: Option<Url>,
    /// Never empty.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) authentication: ClientAuthentication,
    /// The provider says that it names itself in its answers (RFC 9207).
    pub(crate) names_itself: bool,
}

impl Rules {
    /// Plain HTTP stays on this machine even where it is allowed.
    fn is_secure(&self, url: &Url) -> bool {
        url.scheme() == "https"
            || (url.scheme() == "http" && self.policy.allow_http && is_loopback(url))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Where the document is, if the settings can be right at all.
pub(super) fn discovery_address(settings: &Settings, rules: &Rules) -> Result<Url, Faults> {
    let mut faults = Vec::new();
    if settings.client_id.trim().is_empty() {
        faults.push(SetupFault::ClientIdMissing);
    }
    let issuer = Url::parse(&settings.issuer)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.query().is_none() && url.fragment().is_none());
    let Some(issuer) = issuer else {
        faults.push(SetupFault::IssuerInvalid);
        return Err(Faults(faults));
    };
    if !rules.is_secure(&issuer) {
        faults.push(SetupFault::IssuerNotHttps);
    } else if let Err(refused) = rules.policy.check_url(&issuer) {
        faults.push(SetupFault::IssuerRefused(refused));
    }
    let on_loopback = rules.policy.allow_http && is_loopback(&issuer);
    faults.extend(issuer::check_kind(&settings.kind, &issuer, on_loopback));
    Faults::none_or(faults)?;
    let base = settings.issuer.trim_end_matches('/');
    let address = Url::parse(&format!("{base}/.well-known/openid-configuration"));
    address.map_err(|_| SetupFault::IssuerInvalid.into())
}

impl Plan {
    /// Checks a provider against the settings, and reports everything that is wrong at once.
    pub(crate) fn new(
        settings: &Settings,
        document: &Document,
        rules: &Rules,
    ) -> Result<Self, Faults> {
        let issuer = Issuer::new(&settings.kind, &settings.issuer);
        // Nothing else is worth saying of somebody else's document.
        if !issuer.is_published_as(&document.issuer) {
            let found = Shown::new(&document.issuer);
            return Err(SetupFault::IssuerMismatch { found }.into());
        }
        let mut faults = Vec::new();
        check_flow(settings, document, &mut faults);
        let algorithms = Algorithm::accepted(&document.id_token_signing_alg_values_supported);
        if algorithms.is_empty() {
            faults.push(SetupFault::NoAlgorithm);
        }
        let authentication = client_authentication(settings, document);
        if authentication.is_none() {
            faults.push(SetupFault::NoClientAuthentication);
        }
        let mut endpoint = |endpoint, text: Option<&String>| {
            check_endpoint(endpoint, text, rules)
                .map_err(|fault| faults.push(fault))
                .ok()
        };
        let authorization = endpoint(
            Endpoint::Authorization,
            document.authorization_endpoint.as_ref(),
        );
        let token = endpoint(Endpoint::Token, document.token_endpoint.as_ref());
        let keys = endpoint(Endpoint::Keys, document.jwks_uri.as_ref());
        let userinfo = document
            .userinfo_endpoint
            .as_ref()
            .and_then(|text| endpoint(Endpoint::Userinfo, Some(text)));
        match (authorization, token, keys, authentication) {
            (Some(authorization), Some(token), Some(keys), Some(authentication))
                if faults.is_empty() =>
            {
                Ok(Self {
                    issuer,
                    authorization,
                    token,
                    keys,
                    userinfo,
                    algorithms,
                    authentication,
                    names_itself: document.authorization_response_iss_parameter_supported,
                })
            }
            _ => Err(Faults(faults)),
        }
    }
}

fn check_flow(settings: &Settings, document: &Document, faults: &mut Vec<SetupFault>) {
    let has = |list: &[String], wanted: &str| list.iter().any(|entry| entry == wanted);
    let grants = document.grant_types_supported.as_deref();
    if !has(&document.response_types_supported, "code")
        || grants.is_some_and(|grants| !has(grants, "authorization_code"))
    {
        faults.push(SetupFault::NoCodeFlow);
    }
    let pkce = match &document.code_challenge_methods_supported {
        Some(methods) => has(methods, "S256"),
        // Microsoft supports it and leaves it out of the document. For anybody else silence means
        // no (RFC 8414 section 2).
        None => matches!(settings.kind, Kind::Entra { .. }),
    };
    if !pkce {
        faults.push(SetupFault::NoPkce);
    }
}

fn client_authentication(settings: &Settings, document: &Document) -> Option<ClientAuthentication> {
    if settings.client_secret.is_none() {
        // Few providers list `none`, though all with public clients accept it.
        return Some(ClientAuthentication::None);
    }
    let Some(methods) = &document.token_endpoint_auth_methods_supported else {
        return Some(ClientAuthentication::Basic);
    };
    let offers = |wanted: &str| methods.iter().any(|method| method == wanted);
    if offers("client_secret_basic") {
        Some(ClientAuthentication::Basic)
    } else if offers("client_secret_post") {
        Some(ClientAuthentication::Post)
    } else {
        None
    }
}

fn check_endpoint(
    endpoint: Endpoint,
    text: Option<&String>,
    rules: &Rules,
) -> Result<Url, SetupFault> {
    let text = text.ok_or(SetupFault::EndpointMissing(endpoint))?;
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
        .ok_or(SetupFault::EndpointInvalid(endpoint))?;
    if !rules.is_secure(&url) {
        return Err(SetupFault::EndpointNotHttps(endpoint));
    }
    // The person's browser calls that one, perhaps from inside the company's network.
    if endpoint != Endpoint::Authorization {
        rules
            .policy
            .check_url(&url)
            .map_err(|refused| SetupFault::EndpointRefused { endpoint, refused })?;
    }
    Ok(url)
}
