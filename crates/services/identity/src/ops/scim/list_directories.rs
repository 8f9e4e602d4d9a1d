//! List the directories of the organization, the oldest first.

use auth::RequestContext;
use db::TenantTx;

use crate::{
    Error,
    ops::Tools,
    store::scim::directories::{self, Directory},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_directories(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Vec<Directory>, Error> {
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let directories = directories::list(&mut tx).await?;
    tx.commit().await?;
    Ok(directories)
}
