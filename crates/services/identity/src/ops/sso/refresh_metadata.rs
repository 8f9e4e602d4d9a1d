//! Look for newer metadata of a SAML provider: certificates change.

use db::{SystemTx, TenantTx};
use ids::{SsoConnectionId, TenantScope};
use saml::IdpMetadata;

use super::connections::check::end_of_certificates;
use crate::{
    Error,
    domain::sso::{Provider, Saml},
    ops::Tools,
    store::sso::connections,
};

/// Keeps what there is unless something good and different is found; what is wrong is shown to the administrator.
#[tracing::instrument(skip_all, fields(sso_connection.id = %id))]
pub(crate) async fn refresh_metadata(tools: &Tools, id: SsoConnectionId) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&tools.db, "refresh metadata").await?;
    let stored = connections::find_anywhere(&mut tx, id).await?;
    tx.commit().await?;
    let Some(connection) = stored.map(|stored| stored.connection) else {
        return Ok(());
    };
    let Provider::Saml(provider) = &connection.provider else {
        return Ok(());
    };
    let found = look(tools, provider).await;
    let found = match &found {
        Ok(metadata) => Ok((metadata.xml(), end_of_certificates(metadata))),
        Err(problem) => Err(problem.as_str()),
    };
    let scope = TenantScope::system(connection.organization_id, "sso");
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    connections::refresh(&mut tx, &connection, found, tools.db.clock().now()).await?;
    tx.commit().await?;
    Ok(())
}

async fn look(tools: &Tools, provider: &Saml) -> Result<IdpMetadata, String> {
    let address = provider.metadata_url.as_deref().unwrap_or_default();
    let xml = tools.sso.metadata(address).await?;
    let parse = |xml| IdpMetadata::parse(xml, tools.sso.transport);
    let metadata = parse(&xml).map_err(|error| {
        format!(
            "The metadata at its address can't be used: {}.",
            errors::chain(&error)
        )
    })?;
    // An address that describes another provider is not a newer version of this one.
    let before = parse(provider.metadata.as_bytes());
    if before.is_ok_and(|before| before.entity_id() != metadata.entity_id()) {
        return Err("The metadata at its address is of another provider.".to_owned());
    }
    Ok(metadata)
}
