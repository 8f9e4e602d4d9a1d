//! List the roles that the organization made up.

use auth::RequestContext;
use db::TenantTx;

use crate::{
    Error,
    ops::Tools,
    store::roles::{self, CustomRole},
};

/// None for a service that acts for no organization.
#[tracing::instrument(skip_all)]
pub(crate) async fn list_roles(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Vec<CustomRole>, Error> {
    let Some(scope) = caller.scope() else {
        return Ok(Vec::new());
    };
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let roles = roles::list(&mut tx).await?;
    tx.commit().await?;
    Ok(roles)
}
