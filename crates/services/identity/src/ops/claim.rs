//! An account passes to the owner of its address.
//!
//! Whoever set an account up with an address that it never proved may be somebody else than the address's owner, and
//! waits for that one (pre-hijacking). When the owner of the address's domain says whose it is, everything by which the
//! maker could still get in ends: password, second factor, links, sessions and API keys.

use auth::{Origin, Revoked};
use db::{AsTx, SystemTx};
use ids::{Actor, UserId};

use super::{
    audit::{self, Change},
    person,
};
use crate::{
    Error,
    domain::session::EndReason,
    events::{self, Occasion},
    store::{claims, factors, revocations},
};

/// Only for a person whose address is not proven, in the transaction that locked it. From then on it is.
pub(super) async fn claim(
    tx: &mut SystemTx,
    id: UserId,
    name: Option<&str>,
    actor: &Actor,
    origin: &Origin,
) -> Result<(), Error> {
    let now = tx.db().clock().now();
    claims::claim(tx, id, name, now).await?;
    factors::delete(tx, id).await?;
    person::end_sessions_everywhere(tx, id, None, EndReason::AccountClaimed, actor).await?;
    // All the logs first, in the order in which everybody takes them.
    person::record_everywhere(tx, id, actor, origin, "account.claimed").await?;
    revoke_keys(tx, id, actor, origin).await
}

async fn revoke_keys(
    tx: &mut SystemTx,
    id: UserId,
    actor: &Actor,
    origin: &Origin,
) -> Result<(), Error> {
    let at = tx.db().clock().now();
    for (organization_id, key) in claims::revoke_keys(tx, id, at).await? {
        let occasion = Occasion {
            organization_id,
            actor: actor.clone(),
            at,
        };
        revocations::record(tx, organization_id, &[Revoked::ApiKey(key)], at).await?;
        events::api_key_revoked(tx, &occasion, key).await?;
        let nothing = Change::default();
        audit::record(tx, &occasion, origin, "api_key.revoked", key, nothing).await?;
    }
    Ok(())
}
