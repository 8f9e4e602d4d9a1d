//! Get the caller's organization.

use auth::RequestContext;
use db::TenantTx;

use crate::{
    Error, PeopleError,
    ops::Tools,
    store::settings::{self, Settings},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn get_organization(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Settings, Error> {
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let settings = settings::find(&mut tx, scope.organization_id).await?;
    tx.commit().await?;
    settings.ok_or_else(|| PeopleError::Unknown("organization").into())
}
