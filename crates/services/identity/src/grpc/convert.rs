//! Requests to inputs, results to answers.

use auth::{News, Policy, Principal, Revocation, Role};
use chrono::{DateTime, Utc};
use db::page::Page;
use ids::{ApiKeyId, OrganizationId};
use pbjson_types::Timestamp;
use proto::identity::v1 as wire;
use secrecy::{ExposeSecret, SecretString};

use super::people::custom_role;
use crate::{
    Error,
    domain::networks::{Networks, NotANetwork},
    domain::{challenge::Lacks, session::Method},
    ops::{
        AccessToken, SessionTokens,
        create_api_key::NewApiKey,
        log_in::{LogIn, LoggedIn, Progress},
        sign_up::{SignUp, SignedUp},
    },
    store::{api_keys::ApiKey, organizations::Organization, roles::CustomRole, users::User},
};

pub(super) fn sign_up(request: wire::SignUpRequest) -> SignUp {
    SignUp {
        organization_name: request.organization_name,
        name: request.name,
        email: request.email,
        password: SecretString::from(request.password),
    }
}

pub(super) fn signed_up(signed_up: Option<SignedUp>) -> wire::SignUpResponse {
    let Some(signed_up) = signed_up else {
        return wire::SignUpResponse::default();
    };
    wire::SignUpResponse {
        organization: Some(organization(signed_up.organization)),
        user: Some(user(signed_up.user)),
        tokens: Some(session_tokens(&signed_up.tokens)),
        device_token: signed_up.device_token.expose_secret().to_owned(),
    }
}

pub(super) fn log_in(request: wire::LogInRequest) -> Result<LogIn, Error> {
    let organization_id = match request.organization_id.as_str() {
        "" => None,
        text => Some(organization_id(text)?),
    };
    Ok(LogIn {
        email: request.email,
        password: SecretString::from(request.password),
        device_token: request.device_token,
        organization_id,
    })
}

pub(super) fn organization_id(text: &str) -> Result<OrganizationId, Error> {
    text.parse().map_err(|_| Error::Field {
        field: "organizationId",
        problem: "is not the id of an organization",
    })
}

pub(super) fn progress(progress: Progress) -> wire::LogInResponse {
    let (lacks, token) = match progress {
        Progress::Done(done) => return logged_in(*done),
        Progress::Lacks(lacks, token) => (lacks, token.expose_secret().to_owned()),
    };
    let mut answer = wire::LogInResponse::default();
    match lacks {
        Lacks::SecondFactor => {
            answer.mfa_required = Some(wire::MfaRequired {
                challenge_token: token,
                methods: [Method::Totp, Method::RecoveryCode]
                    .map(|method| method.as_str().to_owned())
                    .to_vec(),
            });
        }
        Lacks::Enrolment => {
            answer.enrolment_required = Some(wire::EnrolmentRequired {
                challenge_token: token,
            });
        }
    }
    answer
}

pub(super) fn logged_in(logged_in: LoggedIn) -> wire::LogInResponse {
    wire::LogInResponse {
        tokens: Some(session_tokens(&logged_in.tokens)),
        user: Some(user(logged_in.user)),
        organization: Some(organization(logged_in.organization)),
        role: wire::Role::from(logged_in.role).into(),
        device_token: logged_in.device_token.expose_secret().to_owned(),
        ..wire::LogInResponse::default()
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

/// The built-in ones, then the organization's own.
pub(super) fn roles(policy: &Policy, custom: Vec<CustomRole>) -> wire::ListRolesResponse {
    let built_in = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Custom)
        .map(|role| wire::RoleInfo {
            role: wire::Role::from(role).into(),
            permissions: policy.of_role(role).map(str::to_owned).collect(),
            conversations: wire::ConversationScope::All.into(),
            ..wire::RoleInfo::default()
        });
    wire::ListRolesResponse {
        roles: built_in
            .chain(custom.into_iter().map(custom_role))
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
        networks: Networks::parse(&request.networks)
            .map_err(|NotANetwork(position)| Error::Network(position))?,
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
        networks: key.networks.to_texts(),
        replaced_by: key.replaced_by.map(|id| id.to_string()).unwrap_or_default(),
    }
}

pub(super) fn since(request: wire::ListRevocationsRequest) -> Result<Option<DateTime<Utc>>, Error> {
    let since = request.since.map(DateTime::try_from).transpose();
    since.map_err(|_| Error::Field {
        field: "since",
        problem: "is not a time",
    })
}

pub(super) fn news(news: News) -> wire::ListRevocationsResponse {
    let revocation = |one: Revocation| wire::Revocation {
        organization_id: one.organization_id.to_string(),
        kind: one.revoked.kind().to_owned(),
        subject: one.revoked.subject().as_bytes().to_vec(),
        issued_until: Some(one.issued_until.into()),
    };
    wire::ListRevocationsResponse {
        revocations: news.revocations.into_iter().map(revocation).collect(),
        as_of: Some(news.as_of.into()),
    }
}

pub(super) fn organization(organization: Organization) -> wire::Organization {
    wire::Organization {
        id: organization.id.to_string(),
        name: organization.name,
        created_at: Some(organization.created_at.into()),
    }
}

pub(super) fn user(user: User) -> wire::User {
    wire::User {
        id: user.id.to_string(),
        email: user.email,
        name: user.name,
    }
}
