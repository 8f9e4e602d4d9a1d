//! List the invitations, the newest first.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::InvitationId;

use crate::{
    Error,
    domain::invitation::{Invitation, State},
    ops::Tools,
    store::invitations,
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_invitations(
    tools: &Tools,
    caller: &RequestContext,
    state: Option<State>,
    page_size: u32,
    page_token: &str,
) -> Result<Page<Invitation>, Error> {
    let scope = caller.require_scope()?;
    let filters = (scope.organization_id, state.map(State::as_str));
    let pager: Pager<InvitationId> = Pager::new("invitations", &filters, page_size, page_token)?;
    let now = tools.db.clock().now();
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let (after, limit) = (pager.after().copied(), pager.limit());
    let invitations = invitations::list(&mut tx, state, now, after, limit).await?;
    tx.commit().await?;
    Ok(pager.page(invitations, |invitation| invitation.id))
}
