//! A connection as its administrator sees it.

use chrono::{DateTime, TimeDelta, Utc};
use saml::{IdpMetadata, ServiceProvider, Transport};
use url::Url;

use crate::{
    Error,
    domain::sso::{Connection, Provider, Saml},
    ops::Tools,
};

/// How long before its end a certificate is warned of.
const WARNED: TimeDelta = TimeDelta::days(30);

#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) connection: Connection,
    /// What to enter at an OpenID provider.
    pub(crate) redirect_uri: Url,
    /// What to enter at a SAML provider.
    pub(crate) service_provider: ServiceProvider,
    /// Of a SAML provider, if it can still be read.
    pub(crate) metadata: Option<IdpMetadata>,
    pub(crate) warnings: Vec<String>,
}

impl Shown {
    pub(crate) fn new(tools: &Tools, connection: Connection) -> Result<Self, Error> {
        let addresses = tools.sso.addresses()?;
        let now = tools.db.clock().now();
        let (metadata, warnings) = match &connection.provider {
            Provider::Oidc(_) => (None, Vec::new()),
            Provider::Saml(provider) => read(provider, tools.sso.transport, now),
        };
        Ok(Self {
            redirect_uri: addresses.redirect_uri(connection.id),
            service_provider: addresses.service_provider(connection.id),
            metadata,
            warnings,
            connection,
        })
    }
}

fn read(
    provider: &Saml,
    transport: Transport,
    now: DateTime<Utc>,
) -> (Option<IdpMetadata>, Vec<String>) {
    let mut warnings = Vec::new();
    if !provider.metadata_problem.is_empty() {
        let problem = &provider.metadata_problem;
        warnings.push(format!("{problem} The metadata from before stays in use."));
    }
    match IdpMetadata::parse(provider.metadata.as_bytes(), transport) {
        Ok(metadata) => {
            warnings.extend(about(&metadata, now));
            (Some(metadata), warnings)
        }
        // Rules became stricter since it was saved.
        Err(error) => {
            warnings.push(format!("The metadata can't be used any more: {error}."));
            (None, warnings)
        }
    }
}

fn about(metadata: &IdpMetadata, now: DateTime<Utc>) -> Vec<String> {
    let mut warnings: Vec<String> = metadata
        .expiring(now, WARNED)
        .into_iter()
        .map(|certificate| {
            let verb = if certificate.not_after() <= now { "ended" } else { "ends" };
            format!(
                "The provider's signing certificate {} {verb} on {}. Upload its new metadata in time.",
                &certificate.fingerprint()[..16],
                certificate.not_after().format("%Y-%m-%d"),
            )
        })
        .collect();
    if metadata.wants_signed_requests() {
        warnings.push(
            "The provider asks for signed requests, which are not sent. If logins fail there, switch that off."
                .to_owned(),
        );
    }
    warnings
}
