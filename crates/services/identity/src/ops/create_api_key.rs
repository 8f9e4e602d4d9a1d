//! Create an API key.

use auth::{Policy, RequestContext, Role};
use chrono::{DateTime, Utc};
use db::TenantTx;
use ids::ApiKeyId;
use secrecy::SecretString;
use serde_json::json;

use super::{
    Tools,
    audit::{self, Change},
};
use crate::{
    Error,
    domain::{networks::Networks, power, secret::NewSecret},
    events::Occasion,
    store::api_keys::{self, ApiKey},
};

#[derive(Debug)]
pub(crate) struct NewApiKey {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) networks: Networks,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn create_api_key(
    tools: &Tools,
    caller: &RequestContext,
    mut new: NewApiKey,
) -> Result<(ApiKey, SecretString), Error> {
    let scope = caller.require_scope()?;
    let now = tools.db.clock().now();
    refuse_unknown_scopes(&tools.policy, &new)?;
    if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::Field {
            field: "expiresAt",
            problem: "must be in the future",
        });
    }
    new.scopes.sort_unstable();
    new.scopes.dedup();
    let secret = NewSecret::api_key();
    let key = ApiKey {
        id: ApiKeyId::stamped(now),
        name: new.name,
        prefix: secret.prefix,
        role: new.role,
        scopes: new.scopes,
        created_at: now,
        last_used_at: None,
        revoked_at: None,
        expires_at: new.expires_at,
        networks: new.networks,
        replaced_by: None,
    };
    refuse_more_power(&tools.policy, caller, &key)?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    api_keys::insert(&mut tx, &key, &secret.hash, &scope.actor.to_string()).await?;
    let occasion = Occasion {
        organization_id: scope.organization_id,
        actor: scope.actor,
        at: now,
    };
    let change = Change {
        before: None,
        after: Some(json!({
            "name": key.name,
            "role": key.role,
            "scopes": key.scopes,
            "networks": key.networks.to_texts(),
            "expires_at": key.expires_at,
        })),
    };
    audit::record(
        &mut tx,
        &occasion,
        &caller.origin,
        "api_key.created",
        key.id,
        change,
    )
    .await?;
    tx.commit().await?;
    tracing::info!(organization.id = %scope.organization_id, api_key.id = %key.id, "API key created");
    Ok((key, secret.secret))
}

fn refuse_unknown_scopes(policy: &Policy, new: &NewApiKey) -> Result<(), Error> {
    let unknown: Vec<usize> = new
        .scopes
        .iter()
        .enumerate()
        .filter(|(_, scope)| !policy.role_has(new.role, scope))
        .map(|(position, _)| position)
        .collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::Scopes(unknown))
    }
}

/// Whoever holds a key must not be able to do or see more with it than without.
pub(super) fn refuse_more_power(
    policy: &Policy,
    caller: &RequestContext,
    key: &ApiKey,
) -> Result<(), Error> {
    match caller.principal()?.membership() {
        Some(holder) if !power::covers(policy, holder, &key.membership(holder.organization_id)) => {
            Err(Error::MorePower)
        }
        Some(_) | None => Ok(()),
    }
}
