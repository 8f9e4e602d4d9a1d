//! Disconnect an identity provider.

use auth::{RequestContext, Revoked};
use ids::SsoConnectionId;

use super::{told, update_connection::keep_a_way_in};
use crate::{
    Error, SsoError,
    domain::session::EndReason,
    events,
    ops::{Tools, office::Office},
    store::{revocations, sso::connections},
};

/// Sessions that came through it end.
#[tracing::instrument(skip_all, fields(sso_connection.id = %id))]
pub(crate) async fn delete_connection(
    tools: &Tools,
    caller: &RequestContext,
    id: SsoConnectionId,
) -> Result<(), Error> {
    let mut office = Office::open(tools, caller).await?;
    let organization_id = office.organization_id();
    let stored = connections::find(&mut office.tx, organization_id, id).await?;
    let stored = stored.ok_or(SsoError::Unknown("connection"))?;
    let (reason, now) = (EndReason::ConnectionDeleted, office.occasion.at);
    let tx = &mut office.tx;
    // First: a login that holds it ends before this goes on, and its session is found.
    connections::delete(tx, organization_id, id).await?;
    let ended = connections::end_sessions(tx, organization_id, id, reason, now).await?;
    events::sessions_ended(tx, &office.occasion, &ended, reason).await?;
    let void: Vec<Revoked> = ended.iter().map(|(id, _)| Revoked::Session(*id)).collect();
    revocations::record(tx, organization_id, &void, now).await?;
    keep_a_way_in(&mut office).await?;
    let before = Some(told(&stored.connection));
    office
        .record("sso_connection.deleted", id, before, None)
        .await?;
    office.commit().await?;
    tools.sso.oidc.forget(id).await;
    Ok(())
}
