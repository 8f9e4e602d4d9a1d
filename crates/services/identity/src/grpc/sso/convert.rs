//! Results to answers.

use db::page::Page;
use ids::{RoleId, SsoConnectionId};
use oidc::Callback;
use pbjson_types::Timestamp;
use proto::identity::v1 as wire;
use secrecy::ExposeSecret;

use crate::{
    Error,
    domain::sso::{EmailDomain, Oidc, OidcKind, Provider, RoleMapping, Saml},
    grpc::convert::{organization, session_tokens, user},
    ops::sso::{
        Shown,
        login::{LoggedIn, begin_sso::Begun, finish_oidc, finish_saml},
    },
    store::sso::{
        domains::{Domain, Route},
        traces::Trace,
    },
};

pub(super) fn connection_id(text: &str) -> Result<SsoConnectionId, Error> {
    text.parse().map_err(|_| Error::Field {
        field: "connectionId",
        problem: "is not the id of a connection",
    })
}

pub(super) fn connections(shown: Vec<Shown>) -> wire::ListSsoConnectionsResponse {
    wire::ListSsoConnectionsResponse {
        connections: shown.into_iter().map(connection).collect(),
    }
}

pub(super) fn connection(shown: Shown) -> wire::SsoConnection {
    let one = &shown.connection;
    let (oidc, saml) = match &one.provider {
        Provider::Oidc(provider) => (Some(oidc_provider(&shown, provider)), None),
        Provider::Saml(provider) => (None, Some(saml_provider(&shown, provider))),
    };
    wire::SsoConnection {
        id: one.id.to_string(),
        name: one.name.clone(),
        enabled: one.enabled,
        oidc,
        saml,
        provisions: one.provisions,
        default_role: wire::Role::from(one.default_role.role()).into(),
        role_mappings: one.role_mappings.iter().map(role_mapping).collect(),
        created_at: Some(one.created_at.into()),
        updated_at: Some(one.updated_at.into()),
        version: one.version,
        warnings: shown.warnings,
    }
}

fn role_mapping(mapping: &RoleMapping) -> wire::RoleMapping {
    let assignment = mapping.assignment();
    wire::RoleMapping {
        group: mapping.group().to_owned(),
        role: wire::Role::from(assignment.role()).into(),
        role_id: assignment
            .role_id()
            .as_ref()
            .map(RoleId::to_string)
            .unwrap_or_default(),
    }
}

fn oidc_provider(shown: &Shown, provider: &Oidc) -> wire::OidcProvider {
    let kind = match provider.kind {
        OidcKind::Generic => wire::OidcKind::Unspecified,
        OidcKind::Google => wire::OidcKind::Google,
        OidcKind::Entra => wire::OidcKind::Entra,
        OidcKind::Okta => wire::OidcKind::Okta,
    };
    wire::OidcProvider {
        issuer: provider.issuer.clone(),
        client_id: provider.client_id.clone(),
        // Written, never read.
        client_secret: String::new(),
        kind: kind.into(),
        entra_tenants: provider
            .entra_tenants
            .iter()
            .map(ToString::to_string)
            .collect(),
        scopes: provider.scopes.clone(),
        redirect_uri: shown.redirect_uri.to_string(),
    }
}

fn saml_provider(shown: &Shown, provider: &Saml) -> wire::SamlProvider {
    let metadata = shown.metadata.as_ref();
    let certificates = metadata
        .map(saml::IdpMetadata::certificates)
        .unwrap_or_default();
    wire::SamlProvider {
        // Long, and known to whoever uploaded it.
        metadata_xml: String::new(),
        metadata_url: provider.metadata_url.clone().unwrap_or_default(),
        idp_initiated: provider.idp_initiated,
        entity_id: shown.service_provider.entity_id.clone(),
        acs_url: shown.service_provider.acs_url.to_string(),
        idp_entity_id: metadata
            .map(|metadata| metadata.entity_id().to_owned())
            .unwrap_or_default(),
        certificates: certificates
            .iter()
            .map(|certificate| wire::Certificate {
                fingerprint: certificate.fingerprint(),
                not_before: Some(certificate.not_before().into()),
                not_after: Some(certificate.not_after().into()),
            })
            .collect(),
    }
}

pub(super) fn traces(page: Page<Trace>) -> wire::ListSsoTracesResponse {
    let trace = |trace: Trace| wire::SsoTrace {
        id: trace.id.to_string(),
        occurred_at: Some(trace.occurred_at.into()),
        succeeded: trace.succeeded,
        reason: trace.reason,
        detail: trace.detail,
    };
    wire::ListSsoTracesResponse {
        traces: page.items.into_iter().map(trace).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub(super) fn domains(all: Vec<Domain>) -> wire::ListSsoDomainsResponse {
    wire::ListSsoDomainsResponse {
        domains: all.into_iter().map(domain).collect(),
    }
}

pub(super) fn domain(domain: Domain) -> wire::SsoDomain {
    let record_name = EmailDomain::parse(&domain.name).map(|domain| domain.record_name());
    wire::SsoDomain {
        connection_id: shown_id(domain.connection_id),
        verified: domain.verified_at.is_some(),
        record_name: record_name.unwrap_or_default(),
        record_value: domain.challenge,
        verified_at: domain.verified_at.map(Timestamp::from),
        domain: domain.name,
    }
}

fn shown_id(id: Option<SsoConnectionId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn login_method(route: Option<Route>) -> wire::FindLoginMethodResponse {
    wire::FindLoginMethodResponse {
        required: route.is_some_and(|route| route.required),
        connection_id: shown_id(route.map(|route| route.connection_id)),
    }
}

pub(super) fn begun(begun: Begun) -> wire::BeginSsoResponse {
    wire::BeginSsoResponse {
        redirect_url: begun.redirect_url.into(),
        browser_secret: begun.browser_secret.expose_secret().to_owned(),
        state: begun.state.expose_secret().to_owned(),
    }
}

pub(super) fn oidc_back(request: wire::FinishOidcRequest) -> finish_oidc::Back {
    // What is empty was not there.
    let given = |text: String| (!text.is_empty()).then_some(text);
    finish_oidc::Back {
        callback: Callback {
            code: given(request.code),
            state: given(request.state),
            iss: given(request.iss),
            error: given(request.error),
            error_description: given(request.error_description),
        },
        browser_secret: request.browser_secret,
    }
}

pub(super) fn saml_back(request: wire::FinishSamlRequest) -> finish_saml::Back {
    finish_saml::Back {
        response: request.saml_response,
        relay_state: request.relay_state,
        browser_secret: request.browser_secret,
    }
}

pub(super) fn finished(finished: LoggedIn) -> wire::FinishSsoResponse {
    wire::FinishSsoResponse {
        login: Some(wire::LogInResponse {
            tokens: Some(session_tokens(&finished.tokens)),
            user: Some(user(finished.user)),
            organization: Some(organization(finished.organization)),
            role: wire::Role::from(finished.role).into(),
            ..wire::LogInResponse::default()
        }),
        return_to: finished.return_to.into_string(),
    }
}
