//! Confirm the authenticator app with its first code.

use auth::RequestContext;
use db::TenantTx;
use secrecy::SecretString;

use crate::{
    Error,
    domain::session::Method,
    ops::{Tools, person},
    store::sessions,
};

#[tracing::instrument(skip_all)]
pub(crate) async fn confirm_totp(
    tools: &Tools,
    caller: &RequestContext,
    code: &str,
) -> Result<Vec<SecretString>, Error> {
    let me = person::caller(caller)?;
    let (_, codes) = super::confirm(tools, &me.changes(&caller.origin), code).await?;
    // The caller has just shown the second factor: the session is as good as one that began with it.
    let mut tx = TenantTx::begin(&tools.db, &me.scope).await?;
    if let Some(mut session) = sessions::lock(&mut tx, me.session_id).await? {
        session.login.prove(Method::Totp, tools.db.clock().now());
        sessions::update(&mut tx, &session).await?;
    }
    tx.commit().await?;
    Ok(codes)
}
