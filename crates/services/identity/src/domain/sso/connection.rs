//! A connection to an identity provider, as its administrator set it up.

use chrono::{DateTime, Utc};
use ids::{OrganizationId, SsoConnectionId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::RoleMapping;
use crate::domain::assignment::Assignment;

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) organization_id: OrganizationId,
    pub(crate) id: SsoConnectionId,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) provider: Provider,
    /// People who come for the first time become members.
    pub(crate) provisions: bool,
    /// As what, unless a mapping says more. Never the owner.
    pub(crate) default_role: Assignment,
    pub(crate) role_mappings: Vec<RoleMapping>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

#[derive(Debug, Clone)]
pub(crate) enum Provider {
    Oidc(Oidc),
    Saml(Saml),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProviderKind {
    Oidc,
    Saml,
}

impl ProviderKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Saml => "saml",
        }
    }
}

impl Provider {
    pub(crate) const fn kind(&self) -> ProviderKind {
        match self {
            Self::Oidc(_) => ProviderKind::Oidc,
            Self::Saml(_) => ProviderKind::Saml,
        }
    }
}

/// An OpenID provider, as stored: the client secret is sealed beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Oidc {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) kind: OidcKind,
    #[serde(default)]
    pub(crate) entra_tenants: Vec<Uuid>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OidcKind {
    Generic,
    Google,
    Entra,
    Okta,
}

/// What most providers call the groups of a person.
const GROUPS_CLAIM: &str = "groups";

impl Oidc {
    /// For the protocol.
    pub(crate) fn settings(&self, client_secret: Option<SecretString>) -> oidc::Settings {
        let kind = match self.kind {
            OidcKind::Generic => oidc::Kind::Generic,
            // Whose people may come is decided by the organization's verified domains, for every provider alike.
            OidcKind::Google => oidc::Kind::Google {
                hosted_domains: Vec::new(),
            },
            OidcKind::Entra => oidc::Kind::Entra {
                tenant_ids: self.entra_tenants.clone(),
            },
            OidcKind::Okta => oidc::Kind::Okta,
        };
        let mut settings = oidc::Settings::new(kind, &self.issuer, &self.client_id, client_secret);
        if !self.scopes.is_empty() {
            settings.scopes.clone_from(&self.scopes);
        }
        settings.groups_claim = Some(GROUPS_CLAIM.to_owned());
        settings
    }
}

/// A SAML provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saml {
    /// The text that passed `saml::IdpMetadata::parse`; it is parsed again at each use.
    pub(crate) metadata: String,
    /// Where newer metadata is looked for.
    pub(crate) metadata_url: Option<String>,
    /// The provider may begin a login.
    pub(crate) idp_initiated: bool,
    /// Why the last look there brought nothing; empty when it did.
    pub(crate) metadata_problem: String,
}
