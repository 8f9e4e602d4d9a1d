//! List the members of the organization, the newest first; get one.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::{TeamId, UserId};

use super::{Profile, with_name, with_names};
use crate::{
    Error, PeopleError,
    ops::Tools,
    store::{roster, teams},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_members(
    tools: &Tools,
    caller: &RequestContext,
    team: Option<TeamId>,
    page_size: u32,
    page_token: &str,
) -> Result<Page<Profile>, Error> {
    let scope = caller.require_scope()?;
    let id = scope.organization_id;
    let pager: Pager<roster::Key> = Pager::new("members", &(id, team), page_size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    if let Some(team) = team {
        let found = teams::find(&mut tx, team).await?;
        found.ok_or(PeopleError::Unknown("team"))?;
    }
    let entries = roster::list(&mut tx, id, team, pager.after().copied(), pager.limit()).await?;
    tx.commit().await?;
    let Page { items, next } = pager.page(entries, |entry| (entry.joined_at, entry.user_id));
    Ok(Page {
        items: with_names(tools, items).await?,
        next,
    })
}

#[tracing::instrument(skip_all)]
pub(crate) async fn get_member(
    tools: &Tools,
    caller: &RequestContext,
    id: UserId,
) -> Result<Profile, Error> {
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let entry = roster::find(&mut tx, scope.organization_id, id).await?;
    tx.commit().await?;
    with_name(tools, entry.ok_or(PeopleError::Unknown("member"))?).await
}
