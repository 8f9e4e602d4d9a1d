//! Checks a provider before anything is stored. Calls it, so no transaction is open.

use chrono::{DateTime, Utc};
use ids::SsoConnectionId;
use saml::IdpMetadata;
use secrecy::SecretString;

use super::DraftProvider;
use crate::{
    Error, SsoError,
    domain::sso::{Oidc, Provider, Saml},
    ops::{
        Tools,
        sso::budget::{TooSlow, within},
    },
};

const TOO_SLOW: &str = "The provider's answers took too long. Try again.";

/// A provider that can be worked with.
pub(super) struct Checked {
    pub(super) provider: Provider,
    /// To be stored instead of the present one.
    pub(super) new_secret: Option<SecretString>,
    pub(super) certificates_end_at: Option<DateTime<Utc>>,
}

/// What there is already.
pub(super) struct Present<'a> {
    pub(super) provider: &'a Provider,
    pub(super) secret: Option<SecretString>,
}

pub(super) async fn check(
    tools: &Tools,
    id: SsoConnectionId,
    draft: DraftProvider,
    present: Option<Present<'_>>,
) -> Result<Checked, Error> {
    // Without it nothing could be entered at the provider.
    tools.sso.addresses()?;
    match draft {
        DraftProvider::Oidc {
            provider,
            client_secret,
        } => check_oidc(tools, id, provider, client_secret, present).await,
        DraftProvider::Saml {
            metadata,
            metadata_url,
            idp_initiated,
        } => {
            let metadata_url = (!metadata_url.is_empty()).then_some(metadata_url);
            let draft = Saml {
                metadata,
                metadata_url,
                idp_initiated,
                metadata_problem: String::new(),
            };
            check_saml(tools, draft, present).await
        }
    }
}

/// Subjects mean something at one provider only: behind another one they would be other people.
fn another_provider(field: &'static str) -> Error {
    SsoError::Provider {
        field,
        problem:
            "This is another provider. Create a connection of its own for it, and delete this one."
                .to_owned(),
    }
    .into()
}

async fn check_oidc(
    tools: &Tools,
    id: SsoConnectionId,
    provider: Oidc,
    new_secret: Option<SecretString>,
    present: Option<Present<'_>>,
) -> Result<Checked, Error> {
    let mut secret = new_secret.clone();
    if let Some(present) = present {
        let Provider::Oidc(before) = present.provider else {
            return Err(another_provider("oidc"));
        };
        if before.issuer != provider.issuer {
            return Err(another_provider("oidc.issuer"));
        }
        // Another kind believes addresses for other reasons.
        if before.kind != provider.kind {
            return Err(another_provider("oidc.kind"));
        }
        // A secret belongs to its client id.
        if before.client_id == provider.client_id {
            secret = secret.or(present.secret);
        } else if secret.is_none() && present.secret.is_some() {
            return Err(SsoError::Provider {
                field: "oidc.clientSecret",
                problem: "With another client id its client secret must be entered, too."
                    .to_owned(),
            }
            .into());
        }
    }
    let settings = provider.settings(secret);
    let now = tools.db.clock().now();
    let unusable = |problem| SsoError::Provider {
        field: "oidc.issuer",
        problem,
    };
    let discovered = within(tools.sso.oidc.discover(id, &settings, now)).await;
    discovered
        .map_err(|TooSlow| unusable(TOO_SLOW.to_owned()))?
        .map_err(|faults| unusable(faults.to_string()))?;
    Ok(Checked {
        provider: Provider::Oidc(provider),
        new_secret,
        certificates_end_at: None,
    })
}

async fn check_saml(
    tools: &Tools,
    mut draft: Saml,
    present: Option<Present<'_>>,
) -> Result<Checked, Error> {
    let before = match present.map(|present| present.provider) {
        None => None,
        Some(Provider::Saml(before)) => Some(before),
        Some(Provider::Oidc(_)) => return Err(another_provider("saml")),
    };
    let (field, xml) = match (&draft.metadata_url, draft.metadata.is_empty()) {
        (_, false) => ("saml.metadataXml", draft.metadata.clone().into_bytes()),
        (Some(address), true) => {
            let field = "saml.metadataUrl";
            let found = within(tools.sso.metadata(address)).await;
            let found = found.unwrap_or_else(|TooSlow| Err(TOO_SLOW.to_owned()));
            (
                field,
                found.map_err(|problem| SsoError::Provider { field, problem })?,
            )
        }
        (None, true) => match before {
            Some(before) => ("saml.metadataXml", before.metadata.clone().into_bytes()),
            None => {
                return Err(Error::Field {
                    field: "saml.metadataXml",
                    problem: "is needed, or the address of the metadata",
                });
            }
        },
    };
    let metadata = parse(tools, field, &xml)?;
    if let Some(before) = before {
        let before = IdpMetadata::parse(before.metadata.as_bytes(), tools.sso.transport);
        if before.is_ok_and(|before| before.entity_id() != metadata.entity_id()) {
            return Err(another_provider(field));
        }
    }
    metadata.xml().clone_into(&mut draft.metadata);
    Ok(Checked {
        provider: Provider::Saml(draft),
        new_secret: None,
        certificates_end_at: end_of_certificates(&metadata),
    })
}

fn parse(tools: &Tools, field: &'static str, xml: &[u8]) -> Result<IdpMetadata, Error> {
    IdpMetadata::parse(xml, tools.sso.transport).map_err(|error| {
        let problem = format!("The metadata can't be used: {}.", errors::chain(&error));
        SsoError::Provider { field, problem }.into()
    })
}

/// When the last of them ends.
pub(in crate::ops::sso) fn end_of_certificates(metadata: &IdpMetadata) -> Option<DateTime<Utc>> {
    let ends = metadata.certificates().iter();
    ends.map(saml::Certificate::not_after).max()
}
