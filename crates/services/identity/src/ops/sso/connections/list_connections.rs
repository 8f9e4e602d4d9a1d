//! List the connections of the organization; get one.

use auth::RequestContext;
use db::TenantTx;
use ids::SsoConnectionId;

use crate::{
    Error, SsoError,
    ops::{Tools, sso::Shown},
    store::sso::connections,
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_connections(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Vec<Shown>, Error> {
    list(tools, caller, None).await
}

#[tracing::instrument(skip_all)]
pub(crate) async fn get_connection(
    tools: &Tools,
    caller: &RequestContext,
    id: SsoConnectionId,
) -> Result<Shown, Error> {
    let found = list(tools, caller, Some(id)).await?.pop();
    Ok(found.ok_or(SsoError::Unknown("connection"))?)
}

async fn list(
    tools: &Tools,
    caller: &RequestContext,
    id: Option<SsoConnectionId>,
) -> Result<Vec<Shown>, Error> {
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let found = connections::list(&mut tx, scope.organization_id, id).await?;
    tx.commit().await?;
    found
        .into_iter()
        .map(|stored| Shown::new(tools, stored.connection))
        .collect()
}
