//! What an administrator enters for a connection.

use auth::Role;
use ids::RoleId;
use proto::identity::v1 as wire;
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    Error,
    domain::{
        assignment::Assignment,
        sso::{Oidc, OidcKind, RoleMapping},
    },
    ops::sso::connections::{Draft, DraftProvider},
};

const fn wrong(field: &'static str, problem: &'static str) -> Error {
    Error::Field { field, problem }
}

pub(super) fn new(request: wire::CreateSsoConnectionRequest) -> Result<Draft, Error> {
    Ok(Draft {
        default_role: default_role(request.default_role())?,
        name: request.name,
        enabled: true,
        provider: provider(request.oidc, request.saml)?,
        provisions: request.provisions,
        role_mappings: role_mappings(request.role_mappings)?,
    })
}

pub(super) fn replacing(request: wire::UpdateSsoConnectionRequest) -> Result<Draft, Error> {
    Ok(Draft {
        default_role: default_role(request.default_role())?,
        name: request.name,
        enabled: request.enabled,
        provider: provider(request.oidc, request.saml)?,
        provisions: request.provisions,
        role_mappings: role_mappings(request.role_mappings)?,
    })
}

fn default_role(role: wire::Role) -> Result<Assignment, Error> {
    match role {
        wire::Role::Unspecified => Ok(Assignment::BuiltIn(Role::Agent)),
        wire::Role::Owner => Err(wrong("defaultRole", "can't be the owner's")),
        role => Role::try_from(role)
            .ok()
            .and_then(|role| Assignment::new(role, None))
            .ok_or(wrong("defaultRole", "is admin, agent or viewer")),
    }
}

fn role_mappings(mappings: Vec<wire::RoleMapping>) -> Result<Vec<RoleMapping>, Error> {
    let read = |mapping: wire::RoleMapping| {
        let role_id: Option<RoleId> = match mapping.role_id.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| wrong("roleMappings.roleId", "is not the id of a role"))?,
            ),
        };
        let assignment = Role::try_from(mapping.role())
            .ok()
            .and_then(|role| Assignment::new(role, role_id))
            .ok_or(wrong(
                "roleMappings.roleId",
                "belongs to the role ROLE_CUSTOM and to no other",
            ))?;
        RoleMapping::new(mapping.group, assignment)
            .map_err(|_| wrong("roleMappings.role", "can't be the owner's"))
    };
    mappings.into_iter().map(read).collect()
}

fn provider(
    oidc: Option<wire::OidcProvider>,
    saml: Option<wire::SamlProvider>,
) -> Result<DraftProvider, Error> {
    match (oidc, saml) {
        (Some(provider), None) => oidc_provider(provider),
        (None, Some(provider)) => Ok(DraftProvider::Saml {
            metadata: provider.metadata_xml,
            metadata_url: provider.metadata_url.trim().to_owned(),
            idp_initiated: provider.idp_initiated,
        }),
        (None, None) | (Some(_), Some(_)) => {
            Err(wrong("oidc", "or `saml` is needed, and not both"))
        }
    }
}

fn oidc_provider(provider: wire::OidcProvider) -> Result<DraftProvider, Error> {
    let kind = match provider.kind() {
        wire::OidcKind::Unspecified => OidcKind::Generic,
        wire::OidcKind::Google => OidcKind::Google,
        wire::OidcKind::Entra => OidcKind::Entra,
        wire::OidcKind::Okta => OidcKind::Okta,
    };
    let tenants: Result<Vec<Uuid>, Error> = provider
        .entra_tenants
        .iter()
        .map(|text| {
            Uuid::try_parse(text.trim())
                .map_err(|_| wrong("oidc.entraTenants", "has an entry that is not a tenant id"))
        })
        .collect();
    let is_scope = |scope: &String| {
        // RFC 6749 section 3.3.
        let is_letter = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        !scope.is_empty() && scope.len() <= 200 && scope.bytes().all(is_letter)
    };
    if !provider.scopes.iter().all(is_scope) {
        return Err(wrong("oidc.scopes", "has an entry that is not a scope"));
    }
    // It is always asked for.
    let scopes = provider
        .scopes
        .into_iter()
        .filter(|scope| scope != "openid")
        .collect();
    let client_secret = provider.client_secret;
    Ok(DraftProvider::Oidc {
        provider: Oidc {
            issuer: provider.issuer.trim().to_owned(),
            client_id: provider.client_id.trim().to_owned(),
            kind,
            entra_tenants: tenants?,
            scopes,
        },
        client_secret: (!client_secret.is_empty()).then(|| SecretString::from(client_secret)),
    })
}
