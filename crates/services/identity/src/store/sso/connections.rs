//! Connections to identity providers.

mod upkeep;
mod write;

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, SsoConnectionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use upkeep::{list_due, refresh};
pub(crate) use write::{delete, end_sessions, insert, update};

use crate::{
    domain::{
        assignment::Assignment,
        sso::{Connection, Oidc, Provider, Saml},
    },
    store::organizations::role,
};

/// A connection with what only the login needs.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) connection: Connection,
    /// The client secret, sealed.
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) organization_active: bool,
}

/// The settings of a SAML connection that are not columns.
#[derive(Serialize, Deserialize)]
struct SamlSettings {
    idp_initiated: bool,
}

struct Row {
    organization_id: OrganizationId,
    id: SsoConnectionId,
    kind: String,
    name: String,
    enabled: bool,
    settings: Value,
    secret: Option<Vec<u8>>,
    idp_metadata: Option<String>,
    idp_metadata_url: Option<String>,
    metadata_problem: String,
    provisions: bool,
    default_role: String,
    role_mappings: Value,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
    organization_state: String,
}

impl TryFrom<Row> for Stored {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let wrong = |column| DbError::inconsistent("sso_connections", column, row.id);
        let provider = match (row.kind.as_str(), row.idp_metadata) {
            ("oidc", None) => {
                let settings = serde_json::from_value::<Oidc>(row.settings);
                Provider::Oidc(settings.map_err(|_| wrong("settings"))?)
            }
            ("saml", Some(metadata)) => {
                let settings = serde_json::from_value::<SamlSettings>(row.settings);
                Provider::Saml(Saml {
                    metadata,
                    metadata_url: row.idp_metadata_url,
                    idp_initiated: settings.map_err(|_| wrong("settings"))?.idp_initiated,
                    metadata_problem: row.metadata_problem,
                })
            }
            _ => return Err(wrong("kind")),
        };
        let connection = Connection {
            organization_id: row.organization_id,
            id: row.id,
            name: row.name,
            enabled: row.enabled,
            provider,
            provisions: row.provisions,
            default_role: Assignment::new(role(&row.default_role, row.id)?, None)
                .ok_or_else(|| wrong("default_role"))?,
            role_mappings: serde_json::from_value(row.role_mappings)
                .map_err(|_| wrong("role_mappings"))?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        };
        Ok(Self {
            connection,
            secret: row.secret,
            organization_active: row.organization_state == "active",
        })
    }
}

/// The connection with this id, whoever's it is.
#[tracing::instrument(name = "db.sso_connections.find", skip_all)]
pub(crate) async fn find_anywhere(
    tx: &mut SystemTx,
    id: SsoConnectionId,
) -> Result<Option<Stored>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select c.organization_id as "organization_id: OrganizationId", c.id as "id: SsoConnectionId", c.kind, c.name,
                  c.enabled, c.settings, c.secret, c.idp_metadata, c.idp_metadata_url, c.metadata_problem, c.provisions,
                  c.default_role, c.role_mappings, c.created_at, c.updated_at, c.version,
                  o.state as organization_state
           from identity.sso_connections c join identity.organizations o on o.organization_id = c.organization_id
           where c.id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Stored::try_from).transpose()
}

/// The organization's connections, or the one with this id; the oldest first.
#[tracing::instrument(name = "db.sso_connections.list", skip_all)]
pub(crate) async fn list(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: Option<SsoConnectionId>,
) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select c.organization_id as "organization_id: OrganizationId", c.id as "id: SsoConnectionId", c.kind, c.name,
                  c.enabled, c.settings, c.secret, c.idp_metadata, c.idp_metadata_url, c.metadata_problem, c.provisions,
                  c.default_role, c.role_mappings, c.created_at, c.updated_at, c.version,
                  o.state as organization_state
           from identity.sso_connections c join identity.organizations o on o.organization_id = c.organization_id
           where c.organization_id = $1 and ($2::uuid is null or c.id = $2)
           order by c.id"#,
        organization_id.as_uuid(),
        id.map(SsoConnectionId::as_uuid),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Stored::try_from).collect()
}

#[tracing::instrument(name = "db.sso_connections.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: SsoConnectionId,
) -> Result<Option<Stored>, DbError> {
    Ok(list(tx, organization_id, Some(id)).await?.pop())
}

/// Keeps a connection until the end of the transaction: nobody logs in through one that is deleted meanwhile. `false`
/// when it is gone.
#[tracing::instrument(name = "db.sso_connections.hold", skip_all)]
pub(crate) async fn hold(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: SsoConnectionId,
) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        r#"select true as "found!" from identity.sso_connections where organization_id = $1 and id = $2 for key share"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.is_some())
}
