//! List how logins through a connection ended, the newest first.

use auth::RequestContext;
use db::{
    TenantTx,
    page::{Page, Pager},
};
use ids::{SsoConnectionId, SsoTraceId};

use crate::{
    Error, SsoError,
    ops::Tools,
    store::sso::{
        connections,
        traces::{self, Trace},
    },
};

#[tracing::instrument(skip_all)]
pub(crate) async fn list_traces(
    tools: &Tools,
    caller: &RequestContext,
    connection_id: SsoConnectionId,
    page_size: u32,
    page_token: &str,
) -> Result<Page<Trace>, Error> {
    let scope = caller.require_scope()?;
    let filters = (scope.organization_id, connection_id);
    let pager: Pager<SsoTraceId> = Pager::new("sso_traces", &filters, page_size, page_token)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let found = connections::find(&mut tx, scope.organization_id, connection_id).await?;
    found.ok_or(SsoError::Unknown("connection"))?;
    let (after, limit) = (pager.after().copied(), pager.limit());
    let traces = traces::list(&mut tx, connection_id, after, limit).await?;
    tx.commit().await?;
    Ok(pager.page(traces, |trace| trace.id))
}
