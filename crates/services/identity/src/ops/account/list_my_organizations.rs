//! List the organizations of the caller.

use auth::{RequestContext, Role};
use db::SystemTx;
use ids::OrganizationId;

use crate::{
    Error,
    ops::{Tools, person},
    store::{organizations::Organization, users},
};

/// The organizations with the role in each, and the one the caller is logged in to.
#[tracing::instrument(skip_all)]
pub(crate) async fn list_my_organizations(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<(Vec<(Organization, Role)>, OrganizationId), Error> {
    let me = person::caller(caller)?;
    let mut tx = SystemTx::begin(&tools.db, "list organizations").await?;
    let organizations = users::list_organizations(&mut tx, me.user_id).await?;
    tx.commit().await?;
    Ok((organizations, me.scope.organization_id))
}
