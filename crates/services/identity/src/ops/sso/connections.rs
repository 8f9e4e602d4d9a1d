//! Connections to identity providers.

pub(super) mod check;
pub(crate) mod create_connection;
pub(crate) mod delete_connection;
pub(crate) mod list_connections;
pub(crate) mod update_connection;

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    Error,
    domain::{
        assignment::Assignment,
        sso::{Connection, Oidc, Provider, RoleMapping},
    },
    ops::office::Office,
};

/// What an administrator enters.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) provider: DraftProvider,
    pub(crate) provisions: bool,
    pub(crate) default_role: Assignment,
    pub(crate) role_mappings: Vec<RoleMapping>,
}

#[derive(Debug)]
pub(crate) enum DraftProvider {
    Oidc {
        provider: Oidc,
        client_secret: Option<SecretString>,
    },
    Saml {
        /// May be empty when the address is not.
        metadata: String,
        metadata_url: String,
        idp_initiated: bool,
    },
}

/// Whoever lets a provider give a role must have it.
async fn refuse_more_power(office: &mut Office<'_>, connection: &Connection) -> Result<(), Error> {
    let mapped = connection.role_mappings.iter().map(RoleMapping::assignment);
    for assignment in [connection.default_role].into_iter().chain(mapped) {
        let granted = office.power_of(assignment).await?;
        office.refuse_more_power(&granted)?;
    }
    Ok(())
}

/// For the audit log.
fn told(connection: &Connection) -> Value {
    let provider = match &connection.provider {
        Provider::Oidc(provider) => {
            json!({ "issuer": provider.issuer, "client_id": provider.client_id })
        }
        Provider::Saml(provider) => {
            json!({ "metadata_url": provider.metadata_url, "idp_initiated": provider.idp_initiated })
        }
    };
    json!({
        "name": connection.name,
        "kind": connection.provider.kind().as_str(),
        "enabled": connection.enabled,
        "provider": provider,
        "provisions": connection.provisions,
        "default_role": connection.default_role.role(),
        "role_mappings": connection.role_mappings,
    })
}
