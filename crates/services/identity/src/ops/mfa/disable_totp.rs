//! Remove the authenticator app.

use auth::RequestContext;
use db::SystemTx;

use super::{Proof, changed};
use crate::{
    Error, SsoError,
    mail::{self, Letter},
    ops::{Tools, person},
    store::factors,
};

/// # Errors
/// [`SsoError::OwnerWithoutFactor`] for the last owner whom a broken identity provider would not shut out.
#[tracing::instrument(skip_all)]
pub(crate) async fn disable_totp(
    tools: &Tools,
    caller: &RequestContext,
    proof: Proof,
) -> Result<(), Error> {
    let me = person::caller(caller)?;
    super::check(tools, me.user_id, proof).await?;
    let by = me.changes(&caller.origin);
    let mut tx = SystemTx::begin(&tools.db, "remove a factor").await?;
    by.grounds.lock(&mut tx, me.user_id).await?;
    if factors::is_last_break_glass(&mut tx, me.user_id).await? {
        return Err(SsoError::OwnerWithoutFactor.into());
    }
    if !factors::delete(&mut tx, me.user_id).await? {
        return Err(Error::MfaMissing);
    }
    changed(&mut tx, &by, "mfa.disabled").await?;
    let user_id = me.user_id;
    mail::queue(&mut tx, &[Letter::MfaDisabled { user_id }]).await?;
    tx.commit().await?;
    Ok(())
}
