//! Connect an identity provider.

use auth::RequestContext;
use ids::SsoConnectionId;

use super::{Draft, check::check, refuse_more_power, told};
use crate::{
    Error, SsoError,
    domain::sso::Connection,
    ops::{
        Tools,
        office::Office,
        sso::{Shown, secrets},
    },
    store::sso::connections,
};

/// Of one organization.
const MAX_CONNECTIONS: usize = 20;

#[tracing::instrument(skip_all)]
pub(crate) async fn create_connection(
    tools: &Tools,
    caller: &RequestContext,
    draft: Draft,
) -> Result<Shown, Error> {
    let organization_id = caller.require_scope()?.organization_id;
    let now = tools.db.clock().now();
    let id = SsoConnectionId::stamped(now);
    let checked = check(tools, id, draft.provider, None).await?;
    let secret = match &checked.new_secret {
        Some(secret) => Some(secrets::seal(tools, organization_id, id, secret).await?),
        None => None,
    };
    let connection = Connection {
        organization_id,
        id,
        name: draft.name,
        enabled: draft.enabled,
        provider: checked.provider,
        provisions: draft.provisions,
        default_role: draft.default_role,
        role_mappings: draft.role_mappings,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let mut office = Office::open(tools, caller).await?;
    let all = connections::list(&mut office.tx, organization_id, None).await?;
    if all.len() >= MAX_CONNECTIONS {
        return Err(SsoError::TooMany("connections").into());
    }
    refuse_more_power(&mut office, &connection).await?;
    let (secret, end) = (secret.as_deref(), checked.certificates_end_at);
    connections::insert(&mut office.tx, &connection, secret, end).await?;
    let after = Some(told(&connection));
    office
        .record("sso_connection.created", id, None, after)
        .await?;
    office.commit().await?;
    Shown::new(tools, connection)
}
