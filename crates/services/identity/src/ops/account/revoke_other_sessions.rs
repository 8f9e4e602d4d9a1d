//! End the person's sessions in all organizations, except the one that asks.

use auth::RequestContext;
use db::SystemTx;

use crate::{
    Error,
    domain::session::EndReason,
    ops::{Tools, person},
    store::users,
};

/// How many ended.
#[tracing::instrument(skip_all)]
pub(crate) async fn revoke_other_sessions(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<usize, Error> {
    let me = person::caller(caller)?;
    let (actor, reason) = (&me.scope.actor, EndReason::Revoked);
    let mut tx = SystemTx::begin(&tools.db, "end sessions").await?;
    users::lock(&mut tx, me.user_id).await?;
    let kept = Some(me.session_id);
    let ended = person::end_sessions_everywhere(&mut tx, me.user_id, kept, reason, actor).await?;
    let (origin, action) = (&caller.origin, "sessions.revoked");
    person::record_everywhere(&mut tx, me.user_id, actor, origin, action).await?;
    tx.commit().await?;
    Ok(ended)
}
