//! List the teams, the newest first.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::TeamId;

use crate::{
    Error,
    ops::Tools,
    store::teams::{self, Team},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_teams(
    tools: &Tools,
    caller: &RequestContext,
    page_size: u32,
    page_token: &str,
) -> Result<Page<Team>, Error> {
    let scope = caller.require_scope()?;
    let pager: Pager<TeamId> = Pager::new("teams", &scope.organization_id, page_size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let teams = teams::list(&mut tx, pager.after().copied(), pager.limit()).await?;
    tx.commit().await?;
    Ok(pager.page(teams, |team| team.id))
}
