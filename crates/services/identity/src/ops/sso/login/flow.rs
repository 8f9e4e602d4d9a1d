//! A login under way, between two requests of a browser.

use db::TenantTx;
use ids::TenantScope;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::Stop;
use crate::{
    Error,
    domain::sso::{Connection, Flow, LASTS, ReturnPath, browser_secret, flow_id},
    ops::{Tools, sso::secrets},
    store::sso::flows,
};

/// What a login was begun with.
pub(super) struct Taken {
    pub(super) pending: Zeroizing<Vec<u8>>,
    pub(super) return_to: ReturnPath,
}

/// Keeps a login that goes to the provider with this state; the secret is for the browser.
pub(super) async fn keep(
    tools: &Tools,
    connection: &Connection,
    state: &SecretString,
    pending: &[u8],
    return_to: ReturnPath,
) -> Result<SecretString, Error> {
    let organization_id = connection.organization_id;
    let (id, now) = (flow_id(state.expose_secret()), tools.db.clock().now());
    let (secret, hash) = browser_secret();
    let flow = Flow {
        id,
        connection_id: connection.id,
        pending: secrets::seal_flow(tools, organization_id, id, pending).await?,
        browser_hash: hash.as_bytes().to_vec(),
        return_to,
        expires_at: now + LASTS,
        used_at: None,
    };
    let scope = TenantScope::system(organization_id, "sso");
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    flows::insert(&mut tx, organization_id, &flow, now).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Takes the login with this state, for good: whatever comes of it, nobody can end it a second time. `None` when this
/// connection has none.
pub(super) async fn take(
    tools: &Tools,
    connection: &Connection,
    state: &str,
    browser_secret: &str,
) -> Result<Option<Taken>, Stop> {
    if state.is_empty() {
        return Ok(None);
    }
    let (organization_id, now) = (connection.organization_id, tools.db.clock().now());
    let scope = TenantScope::system(organization_id, "sso");
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let id = flow_id(state);
    let found = flows::lock(&mut tx, organization_id, connection.id, id).await?;
    let Some(flow) = found else {
        return Ok(None);
    };
    // A foreign browser does not use it up: the right one may still come.
    flow.check(browser_secret, now)?;
    flows::r#use(&mut tx, organization_id, id, now).await?;
    tx.commit().await?;
    let pending = secrets::open_flow(tools, organization_id, id, &flow.pending).await?;
    Ok(Some(Taken {
        pending,
        return_to: flow.return_to,
    }))
}

/// Nobody began the login that is to be ended: the answer is old, of another connection, or forged.
pub(super) const fn unknown() -> Stop {
    Stop::Untraced {
        reason: "flow_unknown",
    }
}
