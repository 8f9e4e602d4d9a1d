//! Prove again who one is, for changes that want a fresh proof.

use auth::RequestContext;
use db::{SystemTx, TenantTx};
use ids::UserId;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error,
    domain::session::Method,
    ops::{
        SessionTokens, Tools, issue_tokens, mfa, person,
        throttle::{Attempt, Guarded},
    },
    store::{members, passwords, sessions},
};

/// What is given must be right; empty is not given.
#[tracing::instrument(skip_all)]
pub(crate) async fn confirm_identity(
    tools: &Tools,
    caller: &RequestContext,
    password: SecretString,
    code: &str,
) -> Result<SessionTokens, Error> {
    let me = person::caller(caller)?;
    let with_factor = mfa::is_active(tools, me.user_id).await?;
    if with_factor && code.is_empty() {
        return Err(missing("totpCode"));
    }
    if !with_factor && password.expose_secret().is_empty() {
        return Err(missing("password"));
    }
    let mut shown = Method::Password;
    if !password.expose_secret().is_empty() {
        check_password(tools, me.user_id, password).await?;
    }
    if with_factor {
        mfa::check_totp(tools, me.user_id, code).await?;
        shown = Method::Totp;
    }
    let mut tx = TenantTx::begin(&tools.db, &me.scope).await?;
    let session = sessions::lock(&mut tx, me.session_id).await?;
    let mut session = session.ok_or(Error::SessionUnknown)?;
    let member = members::find(&mut tx, me.scope.organization_id, me.user_id)
        .await?
        .filter(|member| member.active && member.organization_active)
        .ok_or(Error::NotMember)?;
    session.login.prove(shown, tools.db.clock().now());
    sessions::update(&mut tx, &session).await?;
    tx.commit().await?;
    issue_tokens::of_session(tools, &session, &member, session.generation).await
}

const fn missing(field: &'static str) -> Error {
    Error::Field {
        field,
        problem: "is needed to prove who you are",
    }
}

async fn check_password(
    tools: &Tools,
    user_id: UserId,
    password: SecretString,
) -> Result<(), Error> {
    let attempt = Attempt::begin(tools, &[Guarded::Password(user_id)]).await?;
    let mut tx = SystemTx::begin(&tools.db, "confirm a password").await?;
    let stored = passwords::find(&mut tx, user_id).await?;
    tx.commit().await?;
    let stored = stored.map(|password| password.hash);
    match tools.passwords.verify(password, stored).await {
        Ok(verdict) if verdict.is_right() => attempt.succeed(tools).await,
        Ok(_) => Err(Error::Credentials),
        Err(error) => {
            attempt.withdraw(tools).await?;
            Err(error)
        }
    }
}
