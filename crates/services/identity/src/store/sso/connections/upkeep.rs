//! Newer metadata of SAML providers.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::SsoConnectionId;

use crate::domain::sso::Connection;

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
