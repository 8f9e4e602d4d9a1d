//! An organization's settings and whether it is alive.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::OrganizationId;

use crate::domain::organization::Life;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) id: OrganizationId,
    pub(crate) name: String,
    pub(crate) life: Life,
    pub(crate) time_zone: String,
    pub(crate) locale: String,
    pub(crate) mfa_required_from: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
}

impl Settings {
    pub(crate) fn is_active(&self) -> bool {
        self.life == Life::Active
    }
}

struct Row {
    name: String,
    state: String,
    state_reason: String,
    delete_at: Option<DateTime<Utc>>,
    time_zone: String,
    locale: String,
    mfa_required_from: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
}

impl Row {
    fn read(self, id: OrganizationId) -> Result<Settings, DbError> {
        Ok(Settings {
            id,
            name: self.name,
            life: Life::parse(&self.state, self.state_reason, self.delete_at)
                .ok_or_else(|| DbError::inconsistent("organizations", "state", id))?,
            time_zone: self.time_zone,
            locale: self.locale,
            mfa_required_from: self.mfa_required_from,
            version: self.version,
            created_at: self.created_at,
        })
    }
}

#[tracing::instrument(name = "db.organizations.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    id: OrganizationId,
) -> Result<Option<Settings>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select name, state, state_reason, delete_at, time_zone, locale, mfa_required_from, version, created_at
         from identity.organizations where organization_id = $1",
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| row.read(id)).transpose()
}

/// Locked: whoever changes the organization or its members waits. Rows that refer to it can be added meanwhile.
#[tracing::instrument(name = "db.organizations.lock", skip_all)]
pub(crate) async fn lock(
    tx: &mut impl AsTx,
    id: OrganizationId,
) -> Result<Option<Settings>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select name, state, state_reason, delete_at, time_zone, locale, mfa_required_from, version, created_at
         from identity.organizations where organization_id = $1
         for no key update",
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| row.read(id)).transpose()
}

/// A new version.
#[tracing::instrument(name = "db.organizations.update", skip_all)]
pub(crate) async fn update(tx: &mut impl AsTx, settings: &mut Settings) -> Result<(), DbError> {
    settings.version = sqlx::query_scalar!(
        "update identity.organizations
         set name = $2, state = $3, state_reason = $4, delete_at = $5, time_zone = $6, locale = $7,
             mfa_required_from = $8, version = version + 1
         where organization_id = $1
         returning version",
        settings.id.as_uuid(),
        settings.name,
        settings.life.as_str(),
        settings.life.reason(),
        settings.life.delete_at(),
        settings.time_zone,
        settings.locale,
        settings.mfa_required_from,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// Those whose deletion is due, the oldest first.
#[tracing::instrument(name = "db.organizations.list", skip_all)]
pub(crate) async fn list_due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<OrganizationId>, DbError> {
    let due = sqlx::query_scalar!(
        r#"select organization_id as "id: OrganizationId" from identity.organizations
           where state = 'deleting' and delete_at <= $1 order by delete_at limit $2"#,
        now,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(due)
}

/// Everything of the organization. Most tables refer to it and follow; the others are named here. What others must
/// still learn stays in the outbox.
#[tracing::instrument(name = "db.organizations.delete", skip_all)]
pub(crate) async fn erase(tx: &mut SystemTx, id: OrganizationId) -> Result<(), DbError> {
    let id = id.as_uuid();
    sqlx::query!(
        "delete from identity.revocations where organization_id = $1",
        id
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.idempotency_keys where organization_id = $1",
        id
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("delete from identity.jobs where organization_id = $1", id)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "delete from identity.deferred_deliveries where organization_id = $1",
        id
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.organizations where organization_id = $1",
        id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
