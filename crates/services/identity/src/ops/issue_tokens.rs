//! Tokens for a caller who has proven who it is.

use std::time::Duration;

use auth::{LIFETIME, Principal};
use chrono::{DateTime, Utc};
use ids::SessionId;
use secrecy::SecretString;

use super::Tools;
use crate::{
    Error,
    domain::{refresh_token::RefreshToken, session::Session},
    store::members::Member,
};

/// An access token and its life.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) token: SecretString,
    pub(crate) expires_in: Duration,
}

/// What a person's client keeps.
#[derive(Debug)]
pub(crate) struct SessionTokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: SecretString,
    pub(crate) session_id: SessionId,
}

/// An access token that lives for `lifetime`, at most the usual five minutes.
///
/// `at` is a time at which the rights in it were locked: a revocation that waited for the lock has a later time and
/// makes the token void.
pub(super) async fn access(
    tools: &Tools,
    principal: &Principal,
    at: DateTime<Utc>,
    lifetime: Duration,
) -> Result<AccessToken, Error> {
    let lifetime = lifetime.min(LIFETIME);
    let ring = tools.keys.current().await;
    Ok(AccessToken {
        token: ring.token_key(at)?.sign(principal, at, lifetime)?,
        expires_in: lifetime,
    })
}

/// Both tokens of a session; the refresh token is the one of `generation`. `at` as in [`access`].
pub(super) async fn of_session(
    tools: &Tools,
    session: &Session,
    member: &Member,
    generation: u32,
    at: DateTime<Utc>,
) -> Result<SessionTokens, Error> {
    let refresh = RefreshToken {
        organization_id: member.membership.organization_id,
        session_id: session.id,
        generation,
    };
    let principal = Principal::User {
        id: session.user_id,
        session_id: session.id,
        member: member.membership.clone(),
        proof: session.login.proof(),
    };
    let ring = tools.keys.current().await;
    Ok(SessionTokens {
        access: access(tools, &principal, at, LIFETIME).await?,
        refresh: ring.refresh_key(at)?.sign(&refresh),
        session_id: session.id,
    })
}
