//! Replace an API key by a new one that can do the same.

use std::time::Duration;

use auth::{RequestContext, Revoked};
use db::TenantTx;
use ids::ApiKeyId;
use secrecy::SecretString;
use serde_json::json;

use super::{
    Tools,
    audit::{self, Change},
    create_api_key::refuse_more_power,
};
use crate::{
    Error,
    domain::secret::NewSecret,
    events::{self, Occasion},
    store::{
        api_keys::{self, ApiKey},
        organizations, revocations,
    },
};

/// The old key works for `overlap` beside the new one, but not longer than it would have.
///
/// # Errors
/// [`Error::ApiKeyEnded`] for a key that is not in use any more: of two calls at once, one makes a key.
#[tracing::instrument(skip_all, fields(api_key.id = %id))]
pub(crate) async fn rotate_api_key(
    tools: &Tools,
    caller: &RequestContext,
    id: ApiKeyId,
    overlap: Duration,
) -> Result<(ApiKey, SecretString), Error> {
    let scope = caller.require_scope()?;
    let secret = NewSecret::api_key();
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    if !organizations::hold_active(&mut tx, scope.organization_id).await? {
        return Err(Error::OrganizationInactive);
    }
    let old = api_keys::lock(&mut tx, id)
        .await?
        .ok_or(Error::ApiKeyUnknown)?;
    let now = tools.db.clock().now();
    if old.replaced_by.is_some() || !old.is_usable(now) {
        return Err(Error::ApiKeyEnded);
    }
    // Whoever rotates a key holds the new one.
    refuse_more_power(&tools.policy, caller, &old)?;
    let new = ApiKey {
        id: ApiKeyId::stamped(now),
        prefix: secret.prefix,
        created_at: now,
        last_used_at: None,
        ..old.clone()
    };
    let occasion = Occasion {
        organization_id: scope.organization_id,
        actor: scope.actor,
        at: now,
    };
    api_keys::insert(&mut tx, &new, &secret.hash, &occasion.actor.to_string()).await?;
    let until = clock::later(now, overlap);
    let until = old
        .expires_at
        .map_or(until, |expires_at| until.min(expires_at));
    api_keys::replace(&mut tx, id, new.id, until).await?;
    if overlap.is_zero() {
        api_keys::revoke(&mut tx, id, now).await?;
        revocations::record(&mut tx, scope.organization_id, &[Revoked::ApiKey(id)], now).await?;
        events::api_key_revoked(&mut tx, &occasion, id).await?;
    }
    let change = Change {
        before: Some(json!({ "expires_at": old.expires_at })),
        after: Some(json!({ "expires_at": until, "replaced_by": new.id })),
    };
    audit::record(
        &mut tx,
        &occasion,
        &caller.origin,
        "api_key.rotated",
        id,
        change,
    )
    .await?;
    tx.commit().await?;
    tracing::info!(organization.id = %scope.organization_id, api_key.id = %new.id, "API key {id} replaced");
    Ok((new, secret.secret))
}
