//! What a SAML provider must know of us.

use db::SystemTx;
use ids::SsoConnectionId;

use crate::{Error, SsoError, domain::sso::ProviderKind, ops::Tools, store::sso::connections};

#[tracing::instrument(skip_all)]
pub(crate) async fn get_saml_metadata(tools: &Tools, id: SsoConnectionId) -> Result<String, Error> {
    let mut tx = SystemTx::begin(&tools.db, "single sign-on").await?;
    let found = connections::find_anywhere(&mut tx, id).await?;
    tx.commit().await?;
    let found = found
        .filter(|stored| stored.connection.provider.kind() == ProviderKind::Saml)
        .ok_or(SsoError::Unknown("connection"))?;
    let us = tools.sso.addresses()?.service_provider(found.connection.id);
    Ok(us.metadata_xml())
}
