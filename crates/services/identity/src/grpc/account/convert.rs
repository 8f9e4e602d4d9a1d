//! Requests to inputs, results to answers.

use auth::Role;
use db::page::Page;
use ids::{OrganizationId, SessionId};
use pbjson_types::Timestamp;
use proto::identity::v1 as wire;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error,
    grpc::convert::{organization, session_tokens, user},
    ops::{
        account::{confirm_identity::Shown, switch_organization::Switched},
        log_in::LoggedIn,
        mfa::{Proof, Setup, get_mfa::Mfa},
    },
    store::{organizations::Organization, sessions::Listed},
};

pub(super) fn proof(totp_code: String, recovery_code: String) -> Result<Proof, Error> {
    match (totp_code.is_empty(), recovery_code.is_empty()) {
        (false, true) => Ok(Proof::Totp(totp_code)),
        (true, false) => Ok(Proof::RecoveryCode(recovery_code)),
        _ => Err(Error::Field {
            field: "totpCode",
            problem: "or `recoveryCode` is needed, and not both",
        }),
    }
}

pub(super) fn shown(request: wire::ConfirmIdentityRequest) -> Result<Shown, Error> {
    let (totp_code, recovery_code) = (request.totp_code, request.recovery_code);
    let code = if totp_code.is_empty() && recovery_code.is_empty() {
        None
    } else {
        Some(proof(totp_code, recovery_code)?)
    };
    Ok(Shown {
        password: SecretString::from(request.password),
        code,
    })
}

pub(super) fn session_id(text: &str) -> Result<SessionId, Error> {
    text.parse().map_err(|_| Error::Field {
        field: "sessionId",
        problem: "is not the id of a session",
    })
}

pub(super) fn setup(setup: &Setup) -> wire::TotpSetup {
    wire::TotpSetup {
        secret: setup.secret.expose_secret().to_owned(),
        otpauth_url: setup.url.expose_secret().to_owned(),
    }
}

pub(super) fn codes(codes: &[SecretString]) -> wire::RecoveryCodes {
    let codes = codes.iter().map(|code| code.expose_secret().to_owned());
    wire::RecoveryCodes {
        codes: codes.collect(),
    }
}

pub(super) fn enrolled(
    (logged_in, recovery): (LoggedIn, Vec<SecretString>),
) -> wire::CompleteEnrolmentResponse {
    wire::CompleteEnrolmentResponse {
        login: Some(crate::grpc::convert::logged_in(logged_in)),
        recovery_codes: Some(codes(&recovery)),
    }
}

pub(super) fn sessions((page, current): (Page<Listed>, SessionId)) -> wire::ListSessionsResponse {
    let session = |session: Listed| wire::Session {
        current: session.id == current,
        id: session.id.to_string(),
        user_agent: session.user_agent,
        address: session.address,
        methods: session.methods,
        created_at: Some(session.created_at.into()),
        last_used_at: Some(session.refreshed_at.into()),
        expires_at: Some(session.expires_at.into()),
    };
    wire::ListSessionsResponse {
        sessions: page.items.into_iter().map(session).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub(super) fn my_organizations(
    (organizations, current): (Vec<(Organization, Role)>, OrganizationId),
) -> wire::ListMyOrganizationsResponse {
    let mine = |(one, role): (Organization, Role)| wire::MyOrganization {
        current: one.id == current,
        organization: Some(organization(one)),
        role: wire::Role::from(role).into(),
    };
    wire::ListMyOrganizationsResponse {
        organizations: organizations.into_iter().map(mine).collect(),
    }
}

pub(super) fn switched(switched: Switched) -> wire::LogInResponse {
    wire::LogInResponse {
        tokens: Some(session_tokens(&switched.tokens)),
        user: Some(user(switched.user)),
        organization: Some(organization(switched.organization)),
        role: wire::Role::from(switched.role).into(),
        ..wire::LogInResponse::default()
    }
}

pub(super) fn mfa(mfa: &Mfa) -> wire::Mfa {
    wire::Mfa {
        enabled: mfa.enabled_at.is_some(),
        enabled_at: mfa.enabled_at.map(Timestamp::from),
        recovery_codes_left: mfa.recovery_codes_left,
    }
}
