//! End one of the own sessions.

use auth::RequestContext;
use db::TenantTx;
use ids::SessionId;

use crate::{
    Error,
    domain::session::EndReason,
    events::Occasion,
    ops::{
        Tools,
        audit::{self, Change},
        begin_session::end_sessions,
        person,
    },
    store::sessions,
};

#[tracing::instrument(skip_all)]
pub(crate) async fn revoke_session(
    tools: &Tools,
    caller: &RequestContext,
    id: SessionId,
) -> Result<(), Error> {
    let me = person::caller(caller)?;
    let mut tx = TenantTx::begin(&tools.db, &me.scope).await?;
    let session = sessions::lock(&mut tx, id)
        .await?
        .filter(|session| session.user_id == me.user_id)
        .ok_or(Error::SessionUnknown)?;
    let occasion = Occasion {
        organization_id: me.scope.organization_id,
        actor: me.scope.actor.clone(),
        // Tokens that were signed while we waited for the session are older than this.
        at: tools.db.clock().now(),
    };
    end_sessions(&mut tx, &[session], EndReason::Revoked, &occasion).await?;
    let (origin, nothing) = (&caller.origin, Change::default());
    audit::record(&mut tx, &occasion, origin, "session.revoked", id, nothing).await?;
    tx.commit().await?;
    Ok(())
}
