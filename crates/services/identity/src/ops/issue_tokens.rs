//! Tokens for a caller who has proven who it is.

use std::time::Duration;

use auth::{LIFETIME, Principal};
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
pub(super) async fn access(
    tools: &Tools,
    principal: &Principal,
    lifetime: Duration,
) -> Result<AccessToken, Error> {
    let now = tools.db.clock().now();
    let lifetime = lifetime.min(LIFETIME);
    let ring = tools.keys.current().await;
    Ok(AccessToken {
        token: ring.token_key(now)?.sign(principal, now, lifetime)?,
        expires_in: lifetime,
    })
}

/// Both tokens of a session; the refresh token is the one of `generation`.
pub(super) async fn of_session(
    tools: &Tools,
    session: &Session,
    member: &Member,
    generation: u32,
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
        access: access(tools, &principal, LIFETIME).await?,
        refresh: ring.refresh_key(tools.db.clock().now())?.sign(&refresh),
        session_id: session.id,
    })
}
