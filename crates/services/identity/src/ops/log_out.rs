//! End the session of the caller.

use auth::{Principal, RequestContext};
use db::TenantTx;

use super::Tools;
use crate::{
    Error,
    domain::session::EndReason,
    events::{self, Occasion},
    store::sessions,
};

#[tracing::instrument(skip_all)]
pub(crate) async fn log_out(tools: &Tools, caller: &RequestContext) -> Result<(), Error> {
    let Principal::User { session_id, .. } = caller.principal()? else {
        return Err(Error::NoSession);
    };
    let scope = caller.require_scope()?;
    let now = tools.db.clock().now();
    let reason = EndReason::LoggedOut;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    // The access token outlives the session, so it may have ended already: that is what the caller wants.
    if let Some(user_id) = sessions::end(&mut tx, *session_id, reason, now).await? {
        let occasion = Occasion {
            organization_id: scope.organization_id,
            actor: scope.actor,
            at: now,
        };
        events::session_ended(&mut tx, &occasion, *session_id, user_id, reason).await?;
    }
    tx.commit().await?;
    Ok(())
}
