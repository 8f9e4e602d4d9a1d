//! What of single sign-on is sealed, and where.

use db::DataKeys;
use ids::{OrganizationId, SsoConnectionId, SsoFlowId, TenantScope};
use secrecy::{ExposeSecret, SecretString};
use vault::{Owner, Place, Purpose};
use zeroize::Zeroizing;

use crate::{Error, ops::Tools, store::sso::connections::Stored};

/// Client secrets.
const SECRET: Purpose = Purpose::new("sso");
/// Logins under way.
const FLOW: Purpose = Purpose::new("sso-flow");

fn keys(tools: &Tools, id: OrganizationId) -> DataKeys {
    DataKeys::of_tenant(&tools.db, &TenantScope::system(id, "sso"))
}

fn of_connection(organization_id: OrganizationId, id: SsoConnectionId) -> Place {
    let owner = Owner::Organization(organization_id);
    Place::new(owner, SECRET, "sso_connections", "secret", id)
}

fn of_flow(organization_id: OrganizationId, id: SsoFlowId) -> Place {
    let owner = Owner::Organization(organization_id);
    Place::new(owner, FLOW, "sso_flows", "pending", id)
}

pub(super) async fn seal(
    tools: &Tools,
    organization_id: OrganizationId,
    id: SsoConnectionId,
    secret: &SecretString,
) -> Result<Vec<u8>, Error> {
    let (keys, place) = (
        keys(tools, organization_id),
        of_connection(organization_id, id),
    );
    let plaintext = secret.expose_secret().as_bytes();
    Ok(tools.vault.seal(&keys, &place, plaintext).await?)
}

/// The connection's client secret.
pub(super) async fn open(tools: &Tools, stored: &Stored) -> Result<Option<SecretString>, Error> {
    let Some(sealed) = &stored.secret else {
        return Ok(None);
    };
    let (organization_id, id) = (stored.connection.organization_id, stored.connection.id);
    let (keys, place) = (
        keys(tools, organization_id),
        of_connection(organization_id, id),
    );
    Ok(Some(tools.vault.open_text(&keys, &place, sealed).await?))
}

pub(super) async fn seal_flow(
    tools: &Tools,
    organization_id: OrganizationId,
    id: SsoFlowId,
    pending: &[u8],
) -> Result<Vec<u8>, Error> {
    let (keys, place) = (keys(tools, organization_id), of_flow(organization_id, id));
    Ok(tools.vault.seal(&keys, &place, pending).await?)
}

pub(super) async fn open_flow(
    tools: &Tools,
    organization_id: OrganizationId,
    id: SsoFlowId,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (keys, place) = (keys(tools, organization_id), of_flow(organization_id, id));
    Ok(tools.vault.open(&keys, &place, sealed).await?)
}
