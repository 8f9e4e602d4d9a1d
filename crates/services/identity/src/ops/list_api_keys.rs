//! List the API keys of the organization, the newest first.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::ApiKeyId;

use super::Tools;
use crate::{
    Error,
    store::api_keys::{self, ApiKey},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_api_keys(
    tools: &Tools,
    caller: &RequestContext,
    page_size: u32,
    page_token: &str,
) -> Result<Page<ApiKey>, Error> {
    let scope = caller.require_scope()?;
    let pager: Pager<ApiKeyId> =
        Pager::new("api_keys", &scope.organization_id, page_size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let keys = api_keys::list(&mut tx, pager.after().copied(), pager.limit()).await?;
    tx.commit().await?;
    Ok(pager.page(keys, |key| key.id))
}
