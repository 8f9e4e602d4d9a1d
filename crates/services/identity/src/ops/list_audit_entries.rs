//! List the audit entries of the organization, and export them as the chain has them.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};

use super::Tools;
use crate::{
    Error,
    domain::audit::Link,
    store::audit::{self, Filter},
};

const EXPORT_SIZE: u32 = 500;
const MAX_EXPORT_SIZE: u32 = 1_000;

/// The newest first.
#[tracing::instrument(skip_all)]
pub(crate) async fn list_audit_entries(
    tools: &Tools,
    caller: &RequestContext,
    filter: &Filter,
    page_size: u32,
    page_token: &str,
) -> Result<Page<Link>, Error> {
    let scope = caller.require_scope()?;
    let filters = (&scope.organization_id, filter);
    let pager: Pager<i64> = Pager::new("audit_entries", &filters, page_size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let links = audit::list(&mut tx, filter, pager.after().copied(), pager.limit()).await?;
    tx.commit().await?;
    Ok(pager.page(links, |link| link.seq))
}

/// The oldest first, without a gap.
#[tracing::instrument(skip_all)]
pub(crate) async fn export_audit_entries(
    tools: &Tools,
    caller: &RequestContext,
    page_size: u32,
    page_token: &str,
) -> Result<Page<Link>, Error> {
    let scope = caller.require_scope()?;
    let size = match page_size {
        0 => EXPORT_SIZE,
        size => size.min(MAX_EXPORT_SIZE),
    };
    let organization = &scope.organization_id;
    let pager: Pager<i64> = Pager::of_size("audit_export", organization, size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let after = pager.after().copied().unwrap_or_default();
    let links = audit::walk(&mut tx, after, pager.limit()).await?;
    tx.commit().await?;
    Ok(pager.page(links, |link| link.seq))
}
