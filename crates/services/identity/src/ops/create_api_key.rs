//! Create an API key.

use auth::{Membership, Policy, Principal, RequestContext, Role, Scopes};
use chrono::{DateTime, Utc};
use db::TenantTx;
use ids::ApiKeyId;
use secrecy::SecretString;

use super::Tools;
use crate::{
    Error,
    domain::secret::ApiKeySecret,
    store::api_keys::{self, ApiKey},
};

#[derive(Debug)]
pub(crate) struct NewApiKey {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
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
    refuse_more_power(&tools.policy, caller.principal()?, &new)?;
    if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::Field {
            field: "expiresAt",
            problem: "must be in the future",
        });
    }
    new.scopes.sort_unstable();
    new.scopes.dedup();
    let secret = ApiKeySecret::generate();
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
    };
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    api_keys::insert(&mut tx, &key, &secret.hash, &scope.actor.to_string()).await?;
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

/// Whoever may make keys must not make one that can do more: an admin no owner's key, a scoped key no key without
/// scopes. The role is compared too, because roles gain permissions over time.
fn refuse_more_power(policy: &Policy, caller: &Principal, new: &NewApiKey) -> Result<(), Error> {
    let Some(Membership { role, scopes, .. }) = caller.membership() else {
        return Ok(());
    };
    let lesser_role = new.role.is_at_most(*role);
    let lesser_scopes = match scopes {
        Scopes::All => true,
        Scopes::Only(_) => {
            !new.scopes.is_empty() && new.scopes.iter().all(|scope| policy.allows(caller, scope))
        }
    };
    if lesser_role && lesser_scopes {
        Ok(())
    } else {
        Err(Error::MorePower)
    }
}
