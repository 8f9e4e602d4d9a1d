//! Connections to identity providers.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, SessionId, SsoConnectionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{
        assignment::Assignment,
        session::EndReason,
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

/// Up to `limit` connections whose metadata has an address and was not looked at since `before`.
#[tracing::instrument(name = "db.sso_connections.list", skip_all)]
pub(crate) async fn list_due(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<SsoConnectionId>, DbError> {
    let due = sqlx::query_scalar!(
        r#"select c.id as "id: SsoConnectionId"
           from identity.sso_connections c join identity.organizations o on o.organization_id = c.organization_id
           where c.idp_metadata_url is not null and c.enabled and o.state = 'active'
             and coalesce(c.metadata_checked_at, c.updated_at) < $1
           order by c.metadata_checked_at nulls first limit $2"#,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(due)
}

/// Takes note of a look at the metadata's address: newer metadata, or why there is none. Nothing happens when the
/// connection was changed meanwhile.
#[tracing::instrument(name = "db.sso_connections.update", skip_all)]
pub(crate) async fn refresh(
    tx: &mut impl AsTx,
    connection: &Connection,
    found: Result<(&str, Option<DateTime<Utc>>), &str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (metadata, end, problem) = match found {
        Ok((metadata, end)) => (Some(metadata), end, ""),
        Err(problem) => (None, None, problem),
    };
    sqlx::query!(
        "update identity.sso_connections
         set idp_metadata = coalesce($4, idp_metadata), certificates_end_at = coalesce($5, certificates_end_at),
             metadata_problem = $6, metadata_checked_at = $7
         where organization_id = $1 and id = $2 and version = $3",
        connection.organization_id.as_uuid(),
        connection.id.as_uuid(),
        connection.version,
        metadata,
        end,
        problem,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
