//! Requests to inputs, results to answers.

use auth::{Policy, Principal, Role};
use chrono::{DateTime, Utc};
use db::page::Page;
use ids::ApiKeyId;
use pbjson_types::Timestamp;
use proto::identity::v1 as wire;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error,
    ops::{
        AccessToken, SessionTokens,
        create_api_key::NewApiKey,
        log_in::LoggedIn,
        sign_up::{SignUp, SignedUp},
    },
    store::{api_keys::ApiKey, organizations::Organization, users::User},
};

pub(super) fn sign_up(request: wire::SignUpRequest) -> SignUp {
    SignUp {
        organization_name: request.organization_name,
        name: request.name,
        email: request.email,
        password: SecretString::from(request.password),
    }
}

pub(super) fn signed_up(signed_up: SignedUp) -> wire::SignUpResponse {
    wire::SignUpResponse {
        organization: Some(organization(signed_up.organization)),
        user: Some(user(signed_up.user)),
        tokens: Some(session_tokens(&signed_up.tokens)),
    }
}

pub(super) fn logged_in(logged_in: LoggedIn) -> wire::LogInResponse {
    wire::LogInResponse {
        tokens: Some(session_tokens(&logged_in.tokens)),
        user: Some(user(logged_in.user)),
        organization: Some(organization(logged_in.organization)),
        role: wire::Role::from(logged_in.role).into(),
    }
}

pub(super) fn session_tokens(tokens: &SessionTokens) -> wire::SessionTokens {
    wire::SessionTokens {
        access_token: tokens.access.token.expose_secret().to_owned(),
        expires_in: seconds(&tokens.access),
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        session_id: tokens.session_id.to_string(),
    }
}

pub(super) fn access_token(access: &AccessToken) -> wire::AccessToken {
    wire::AccessToken {
        access_token: access.token.expose_secret().to_owned(),
        expires_in: seconds(access),
    }
}

/// Whole seconds, downwards: a client must not think a token good that is not.
fn seconds(access: &AccessToken) -> u32 {
    u32::try_from(access.expires_in.as_secs()).unwrap_or(u32::MAX)
}

pub(super) fn caller(
    principal: &Principal,
    organization_id: Option<ids::OrganizationId>,
    policy: &Policy,
) -> wire::Caller {
    wire::Caller {
        kind: principal.kind().to_owned(),
        id: principal.id(),
        organization_id: organization_id.map(|id| id.to_string()).unwrap_or_default(),
        role: principal
            .membership()
            .map_or(wire::Role::Unspecified, |member| member.role.into())
            .into(),
        permissions: policy.of_principal(principal).map(str::to_owned).collect(),
    }
}

pub(super) fn roles(policy: &Policy) -> wire::ListRolesResponse {
    wire::ListRolesResponse {
        roles: Role::ALL
            .into_iter()
            .map(|role| wire::RoleInfo {
                role: wire::Role::from(role).into(),
                permissions: policy.of_role(role).map(str::to_owned).collect(),
            })
            .collect(),
    }
}

pub(super) fn new_api_key(request: wire::CreateApiKeyRequest) -> Result<NewApiKey, Error> {
    Ok(NewApiKey {
        role: Role::try_from(request.role()).map_err(|_| Error::Field {
            field: "role",
            problem: "is not a role",
        })?,
        name: request.name,
        scopes: request.scopes,
        expires_at: request.expires_at.map(expiry).transpose()?,
    })
}

fn expiry(at: Timestamp) -> Result<DateTime<Utc>, Error> {
    DateTime::try_from(at).map_err(|_| Error::Field {
        field: "expiresAt",
        problem: "is not a time",
    })
}

pub(super) fn api_key_id(text: &str) -> Result<ApiKeyId, Error> {
    text.parse().map_err(|_| Error::Field {
        field: "apiKeyId",
        problem: "is not the id of an API key",
    })
}

pub(super) fn created_api_key((key, secret): (ApiKey, SecretString)) -> wire::CreateApiKeyResponse {
    wire::CreateApiKeyResponse {
        api_key: Some(api_key(key)),
        secret: secret.expose_secret().to_owned(),
    }
}

pub(super) fn api_keys(page: Page<ApiKey>) -> wire::ListApiKeysResponse {
    wire::ListApiKeysResponse {
        api_keys: page.items.into_iter().map(api_key).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub(super) fn api_key(key: ApiKey) -> wire::ApiKey {
    wire::ApiKey {
        id: key.id.to_string(),
        name: key.name,
        prefix: key.prefix,
        role: wire::Role::from(key.role).into(),
        scopes: key.scopes,
        created_at: Some(key.created_at.into()),
        last_used_at: key.last_used_at.map(Timestamp::from),
        revoked_at: key.revoked_at.map(Timestamp::from),
        expires_at: key.expires_at.map(Timestamp::from),
    }
}

fn organization(organization: Organization) -> wire::Organization {
    wire::Organization {
        id: organization.id.to_string(),
        name: organization.name,
        created_at: Some(organization.created_at.into()),
    }
}

fn user(user: User) -> wire::User {
    wire::User {
        id: user.id.to_string(),
        email: user.email,
        name: user.name,
    }
}
