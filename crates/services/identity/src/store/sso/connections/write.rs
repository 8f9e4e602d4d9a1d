//! Connections come, change and go.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError};
use ids::{OrganizationId, SessionId, SsoConnectionId, UserId};
use serde_json::Value;

use super::SamlSettings;
use crate::domain::{
    session::EndReason,
    sso::{Connection, Provider},
};

/// What the columns hold that are not the same for both kinds.
struct Columns<'a> {
    settings: Value,
    metadata: Option<&'a str>,
    metadata_url: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(connection: &'a Connection) -> Result<Self, DbError> {
        let wrong = |_| DbError::inconsistent("sso_connections", "settings", connection.id);
        Ok(match &connection.provider {
            Provider::Oidc(provider) => Self {
                settings: serde_json::to_value(provider).map_err(wrong)?,
                metadata: None,
                metadata_url: None,
            },
            Provider::Saml(provider) => Self {
                settings: serde_json::to_value(SamlSettings {
                    idp_initiated: provider.idp_initiated,
                })
                .map_err(wrong)?,
                metadata: Some(&provider.metadata),
                metadata_url: provider.metadata_url.as_deref(),
            },
        })
    }
}

fn mappings(connection: &Connection) -> Result<Value, DbError> {
    serde_json::to_value(&connection.role_mappings)
        .map_err(|_| DbError::inconsistent("sso_connections", "role_mappings", connection.id))
}

#[tracing::instrument(name = "db.sso_connections.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    connection: &Connection,
    secret: Option<&[u8]>,
    certificates_end_at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let columns = Columns::of(connection)?;
    sqlx::query!(
        "insert into identity.sso_connections
             (organization_id, id, kind, name, enabled, settings, secret, idp_metadata, idp_metadata_url,
              certificates_end_at, provisions, default_role, role_mappings, created_at, updated_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        connection.organization_id.as_uuid(),
        connection.id.as_uuid(),
        connection.provider.kind().as_str(),
        connection.name,
        connection.enabled,
        columns.settings,
        secret,
        columns.metadata,
        columns.metadata_url,
        certificates_end_at,
        connection.provisions,
        connection.default_role.role().as_str(),
        mappings(connection)?,
        connection.created_at,
        connection.updated_at,
        connection.version,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Without a secret the present one stays. `false` when the connection is not the one before this version any more.
#[tracing::instrument(name = "db.sso_connections.update", skip_all)]
pub(crate) async fn update(
    tx: &mut impl AsTx,
    connection: &Connection,
    secret: Option<&[u8]>,
    certificates_end_at: Option<DateTime<Utc>>,
) -> Result<bool, DbError> {
    let columns = Columns::of(connection)?;
    let updated = sqlx::query!(
        "update identity.sso_connections
         set name = $4, enabled = $5, settings = $6, secret = coalesce($7, secret), idp_metadata = $8,
             idp_metadata_url = $9, certificates_end_at = $10, provisions = $11, default_role = $12,
             role_mappings = $13, updated_at = $14, version = $3::bigint, metadata_problem = ''
         where organization_id = $1 and id = $2 and version = $3::bigint - 1",
        connection.organization_id.as_uuid(),
        connection.id.as_uuid(),
        connection.version,
        connection.name,
        connection.enabled,
        columns.settings,
        secret,
        columns.metadata,
        columns.metadata_url,
        certificates_end_at,
        connection.provisions,
        connection.default_role.role().as_str(),
        mappings(connection)?,
        connection.updated_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// What people are with us, flows and traces go with it; domains stay, and lead nowhere.
#[tracing::instrument(name = "db.sso_connections.delete", skip_all)]
pub(crate) async fn delete(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: SsoConnectionId,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.sso_domains set connection_id = null where organization_id = $1 and connection_id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.sso_connections where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends the sessions that came through the connection; which.
#[tracing::instrument(name = "db.sessions.end", skip_all)]
pub(crate) async fn end_sessions(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: SsoConnectionId,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<(SessionId, UserId)>, DbError> {
    let ended = sqlx::query!(
        r#"update identity.sessions set ended_at = $3, end_reason = $4
           where organization_id = $1 and connection_id = $2 and ended_at is null
           returning id as "id: SessionId", user_id as "user_id: UserId""#,
        organization_id.as_uuid(),
        id.as_uuid(),
        now,
        reason.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ended.into_iter().map(|row| (row.id, row.user_id)).collect())
}
