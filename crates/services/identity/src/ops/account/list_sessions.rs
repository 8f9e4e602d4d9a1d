//! List the own sessions, the newest first.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::SessionId;

use crate::{
    Error,
    ops::{Tools, person},
    store::sessions::{self, Listed},
};

/// A page, and the session that asks.
#[tracing::instrument(skip_all)]
pub(crate) async fn list_sessions(
    tools: &Tools,
    caller: &RequestContext,
    page_size: u32,
    page_token: &str,
) -> Result<(Page<Listed>, SessionId), Error> {
    let me = person::caller(caller)?;
    let pager: Pager<SessionId> = Pager::new("sessions", &me.user_id, page_size, page_token)?;
    // What was not used for longer can't be refreshed any more.
    let used_after = tools.db.clock().now() - tools.sessions.idle;
    let mut tx = TenantTx::begin(&tools.db, &me.scope).await?;
    let after = pager.after().copied();
    let sessions = sessions::list(&mut tx, me.user_id, used_after, after, pager.limit()).await?;
    tx.commit().await?;
    Ok((pager.page(sessions, |session| session.id), me.session_id))
}
