//! End the session of the caller.

use auth::{Principal, RequestContext};
use db::TenantTx;

use super::{
    Tools,
    audit::{self, Change},
    begin_session::end_sessions,
};
use crate::{Error, domain::session::EndReason, events::Occasion, store::sessions};

#[tracing::instrument(skip_all)]
pub(crate) async fn log_out(tools: &Tools, caller: &RequestContext) -> Result<(), Error> {
    let Principal::User { session_id, .. } = caller.principal()? else {
        return Err(Error::NoSession);
    };
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    // The access token outlives the session, so it may have ended already: that is what the caller wants.
    if let Some(session) = sessions::lock(&mut tx, *session_id).await? {
        let occasion = Occasion {
            organization_id: scope.organization_id,
            actor: scope.actor,
            // Tokens that were signed while we waited for the session are older than this.
            at: tools.db.clock().now(),
        };
        end_sessions(&mut tx, &[session], EndReason::LoggedOut, &occasion).await?;
        let nothing = Change::default();
        audit::record(
            &mut tx,
            &occasion,
            &caller.origin,
            "session.ended",
            session_id,
            nothing,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
