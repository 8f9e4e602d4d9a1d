//! Prove again who one is, for changes that want a fresh proof.

use auth::RequestContext;
use db::TenantTx;
use ids::UserId;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error,
    domain::session::Method,
    ops::{
        SessionTokens, Tools,
        check_password::check_password,
        issue_tokens,
        mfa::{self, Proof},
        person,
        sso::required::refuse_password_session,
        throttle::Guarded,
    },
    store::{members, sessions},
};

/// What somebody shows; empty is not shown.
pub(crate) struct Shown {
    pub(crate) password: SecretString,
    pub(crate) code: Option<Proof>,
}

/// What is shown must be right.
#[tracing::instrument(skip_all)]
pub(crate) async fn confirm_identity(
    tools: &Tools,
    caller: &RequestContext,
    shown: Shown,
) -> Result<SessionTokens, Error> {
    let me = person::caller(caller)?;
    let method = recognise(tools, me.user_id, shown).await?;
    let organization_id = me.scope.organization_id;
    refuse_password_session(tools, organization_id, me.session_id).await?;
    let mut tx = TenantTx::begin(&tools.db, &me.scope).await?;
    // Whoever changes the member waits, and voids what is signed here.
    members::hold(&mut tx, organization_id, me.user_id).await?;
    let session = sessions::lock(&mut tx, me.session_id).await?;
    let now = tools.db.clock().now();
    let mut session = session
        .filter(|session| now < session.expires_at)
        .ok_or(Error::SessionUnknown)?;
    let member = members::find(&mut tx, organization_id, me.user_id)
        .await?
        .filter(|member| member.active && member.organization_active)
        .ok_or(Error::NotMember)?;
    session.login.prove(method, now);
    if member.wants_second_factor(now) && !session.login.is_strong() {
        return Err(Error::FactorWanted);
    }
    sessions::update(&mut tx, &session).await?;
    tx.commit().await?;
    issue_tokens::of_session(tools, &session, &member, session.generation, now).await
}

/// By a code of somebody who has an app, by the password of anybody else.
async fn recognise(tools: &Tools, user_id: UserId, shown: Shown) -> Result<Method, Error> {
    let Shown { password, code } = shown;
    let with_factor = mfa::is_active(tools, user_id).await?;
    let with_password = !password.expose_secret().is_empty();
    if with_factor && code.is_none() {
        return Err(missing("totpCode"));
    }
    if !with_factor && !with_password {
        return Err(missing("password"));
    }
    if with_password {
        check_password(tools, user_id, password, &[Guarded::Password(user_id)]).await?;
    }
    match code {
        Some(code) if with_factor => mfa::check(tools, user_id, code).await,
        _ => Ok(Method::Password),
    }
}

const fn missing(field: &'static str) -> Error {
    Error::Field {
        field,
        problem: "is needed to prove who you are",
    }
}
