//! Revoke an API key.

use auth::{RequestContext, Revoked};
use db::TenantTx;
use ids::ApiKeyId;

use super::{
    Tools,
    audit::{self, Change},
};
use crate::{
    Error,
    events::{self, Occasion},
    store::{
        api_keys::{self, ApiKey},
        revocations,
    },
};

/// A key that is revoked already stays as it is: the caller has what it wants.
#[tracing::instrument(skip_all, fields(api_key.id = %id))]
pub(crate) async fn revoke_api_key(
    tools: &Tools,
    caller: &RequestContext,
    id: ApiKeyId,
) -> Result<ApiKey, Error> {
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let mut key = api_keys::lock(&mut tx, id)
        .await?
        .ok_or(Error::ApiKeyUnknown)?;
    if key.revoked_at.is_none() {
        let now = tools.db.clock().now();
        api_keys::revoke(&mut tx, id, now).await?;
        let occasion = Occasion {
            organization_id: scope.organization_id,
            actor: scope.actor,
            at: now,
        };
        revocations::record(&mut tx, scope.organization_id, &[Revoked::ApiKey(id)], now).await?;
        events::api_key_revoked(&mut tx, &occasion, id).await?;
        let nothing = Change::default();
        audit::record(
            &mut tx,
            &occasion,
            &caller.origin,
            "api_key.revoked",
            id,
            nothing,
        )
        .await?;
        key.revoked_at = Some(now);
    }
    tx.commit().await?;
    Ok(key)
}
