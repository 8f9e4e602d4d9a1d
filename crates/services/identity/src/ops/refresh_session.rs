//! Exchange a refresh token for new tokens.

use auth::Origin;
use db::TenantTx;
use ids::{Actor, TenantScope};
use secrecy::{ExposeSecret, SecretString};

use super::{
    SessionTokens, Tools,
    audit::{self, Change},
    begin_session::end_sessions,
    issue_tokens,
    sso::required::refuse_password_session,
};
use crate::{
    Error, SsoError,
    domain::session::{EndReason, Refresh},
    events::Occasion,
    store::{members, sessions},
};

#[tracing::instrument(skip_all, fields(organization.id, session.id))]
pub(crate) async fn refresh_session(
    tools: &Tools,
    text: &SecretString,
    origin: &Origin,
) -> Result<SessionTokens, Error> {
    // The MAC proves the tenant before anything is read.
    let token = tools
        .keys
        .current()
        .await
        .refresh_token(text.expose_secret())
        .ok_or(Error::RefreshToken)?;
    let span = tracing::Span::current();
    span.record(
        "organization.id",
        tracing::field::display(token.organization_id),
    );
    span.record("session.id", tracing::field::display(token.session_id));
    let scope = TenantScope::system(token.organization_id, "refresh_session");
    let (organization_id, session_id) = (token.organization_id, token.session_id);
    match refuse_password_session(tools, organization_id, session_id).await {
        Err(Error::Sso(SsoError::Required)) => return Err(Error::RefreshToken),
        other => other?,
    }
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    // Whoever changes the member waits, and voids what is signed here.
    members::hold_by_session(&mut tx, token.session_id).await?;
    let mut session = sessions::lock(&mut tx, token.session_id)
        .await?
        .ok_or(Error::RefreshToken)?;
    let member = members::find(&mut tx, token.organization_id, session.user_id)
        .await?
        .filter(|member| member.active && member.organization_active)
        .ok_or(Error::RefreshToken)?;
    let now = tools.db.clock().now();
    if member.wants_second_factor(now) && !session.login.is_strong() {
        // The time to set one up is over; the next login does it.
        return Err(Error::RefreshToken);
    }
    let generation = match session.refresh(token.generation, now, tools.sessions.idle) {
        Refresh::Rotated(successor) => {
            sessions::update(&mut tx, &session).await?;
            successor
        }
        Refresh::Repeated(successor) => successor,
        Refresh::Expired | Refresh::Unknown => return Err(Error::RefreshToken),
        Refresh::Reused => {
            let reason = EndReason::RefreshReused;
            let occasion = Occasion {
                organization_id: token.organization_id,
                actor: Actor::System("refresh_session"),
                at: now,
            };
            end_sessions(&mut tx, std::slice::from_ref(&session), reason, &occasion).await?;
            let (action, nothing) = ("session.refresh_reused", Change::default());
            audit::record(&mut tx, &occasion, origin, action, session.id, nothing).await?;
            tx.commit().await?;
            tracing::warn!(user.id = %session.user_id, "a refresh token was used twice; its session is ended");
            return Err(Error::RefreshToken);
        }
    };
    tx.commit().await?;
    issue_tokens::of_session(tools, &session, &member, generation, now).await
}
