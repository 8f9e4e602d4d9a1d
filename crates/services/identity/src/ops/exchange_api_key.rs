//! An access token for an API key.

use std::net::IpAddr;

use auth::{LIFETIME, Principal};
use chrono::TimeDelta;
use db::SystemTx;
use secrecy::{ExposeSecret, SecretString};

use super::{AccessToken, Tools, issue_tokens};
use crate::{
    Error,
    domain::secret::{SecretHash, is_api_key},
    store::api_keys,
};

/// `last_used_at` is written at most this often: a busy key must not turn every exchange into a write.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

#[tracing::instrument(skip_all)]
pub(crate) async fn exchange_api_key(
    tools: &Tools,
    secret: &SecretString,
    address: Option<IpAddr>,
) -> Result<AccessToken, Error> {
    let secret = secret.expose_secret();
    if !is_api_key(secret) {
        return Err(Error::ApiKey);
    }
    let mut tx = SystemTx::begin(&tools.db, "exchange an API key").await?;
    let found = api_keys::lock_by_secret(&mut tx, &SecretHash::of(secret)).await?;
    let now = tools.db.clock().now();
    let usable = found.filter(|(_, key)| key.is_usable(now));
    let (organization_id, key) = usable.ok_or(Error::ApiKey)?;
    if !key.networks.allow(address) {
        // To whoever uses it there it is as good as unknown; its organization may want to know.
        tracing::warn!(organization.id = %organization_id, api_key.id = %key.id, "API key used outside of its networks");
        return Err(Error::ApiKey);
    }
    if key
        .last_used_at
        .is_none_or(|last| now - last >= NOTED_EVERY)
    {
        api_keys::touch(&mut tx, organization_id, key.id, now).await?;
    }
    tx.commit().await?;
    // A token must not outlive its key.
    let left = key
        .expires_at
        .and_then(|expires_at| (expires_at - now).to_std().ok())
        .unwrap_or(LIFETIME);
    let principal = Principal::ApiKey {
        id: key.id,
        member: key.membership(organization_id),
    };
    issue_tokens::access(tools, &principal, now, left).await
}
