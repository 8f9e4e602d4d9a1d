//! List the groups that a directory has pushed, the newest first.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::{ScimDirectoryId, ScimGroupId};

use crate::{
    Error, PeopleError,
    ops::Tools,
    store::scim::{
        Source, directories,
        groups::{self, ManagedGroup},
    },
};

#[tracing::instrument(skip_all, fields(directory.id = %id))]
pub(crate) async fn list_groups(
    tools: &Tools,
    caller: &RequestContext,
    id: ScimDirectoryId,
    page_size: u32,
    page_token: &str,
) -> Result<Page<ManagedGroup>, Error> {
    let scope = caller.require_scope()?;
    let source = Source {
        organization_id: scope.organization_id,
        directory_id: id,
    };
    let filters = (source.organization_id, id);
    let pager: Pager<ScimGroupId> = Pager::new("scim_groups", &filters, page_size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let connected = directories::list(&mut tx).await?;
    if !connected.iter().any(|directory| directory.id == id) {
        return Err(PeopleError::Unknown("directory").into());
    }
    let after = pager.after().copied();
    let groups = groups::list_managed(&mut tx, source, after, pager.limit()).await?;
    tx.commit().await?;
    Ok(pager.page(groups, |group| group.id))
}
