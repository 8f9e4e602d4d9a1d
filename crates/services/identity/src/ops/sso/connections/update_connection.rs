//! Replace the settings of a connection.

use auth::RequestContext;
use db::TenantTx;
use ids::SsoConnectionId;

use super::{
    Draft,
    check::{Present, check},
    refuse_more_power, told,
};
use crate::{
    Error, SsoError,
    domain::sso::Connection,
    ops::{
        Tools,
        office::Office,
        sso::{Shown, secrets},
    },
    store::sso::{connections, domains},
};

/// `version` is the one that the caller read.
#[tracing::instrument(skip_all, fields(sso_connection.id = %id))]
pub(crate) async fn update_connection(
    tools: &Tools,
    caller: &RequestContext,
    id: SsoConnectionId,
    version: i64,
    draft: Draft,
) -> Result<Shown, Error> {
    let scope = caller.require_scope()?;
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let stored = connections::find(&mut tx, organization_id, id).await?;
    tx.commit().await?;
    let stored = stored.ok_or(SsoError::Unknown("connection"))?;
    if stored.connection.version != version {
        return Err(SsoError::Changed.into());
    }
    let present = Present {
        secret: secrets::open(tools, &stored).await?,
        provider: &stored.connection.provider,
    };
    let checked = check(tools, id, draft.provider, Some(present)).await?;
    let secret = match &checked.new_secret {
        Some(secret) => Some(secrets::seal(tools, organization_id, id, secret).await?),
        None => None,
    };
    let connection = Connection {
        name: draft.name,
        enabled: draft.enabled,
        provider: checked.provider,
        provisions: draft.provisions,
        default_role: draft.default_role,
        role_mappings: draft.role_mappings,
        updated_at: tools.db.clock().now(),
        version: version + 1,
        ..stored.connection.clone()
    };
    let mut office = Office::open(tools, caller).await?;
    refuse_more_power(&mut office, &connection).await?;
    let (secret, end) = (secret.as_deref(), checked.certificates_end_at);
    if !connections::update(&mut office.tx, &connection, secret, end).await? {
        return Err(SsoError::Changed.into());
    }
    keep_a_way_in(&mut office).await?;
    let (before, after) = (Some(told(&stored.connection)), Some(told(&connection)));
    office
        .record("sso_connection.updated", id, before, after)
        .await?;
    office.commit().await?;
    Shown::new(tools, connection)
}

/// Where single sign-on is required, some domain must lead to a connection in use.
pub(in crate::ops::sso) async fn keep_a_way_in(office: &mut Office<'_>) -> Result<(), Error> {
    let organization_id = office.organization_id();
    let tx = &mut office.tx;
    if domains::is_required(tx, organization_id).await?
        && !domains::has_route(tx, organization_id).await?
    {
        return Err(SsoError::LockedOut.into());
    }
    Ok(())
}
