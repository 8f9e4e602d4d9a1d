//! What Meta's lists and webhooks say, applied to `templates`; `template_syncs`.

use chrono::{DateTime, Utc};
use ids::{OrganizationId, TemplateId};
use serde_json::Value;
use sqlx::PgConnection;

use super::{Template, templates};

/// A template of Meta's list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) provider_id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) parameter_format: String,
    pub(crate) status: String,
    pub(crate) status_reason: String,
    pub(crate) quality: String,
    pub(crate) definition: Value,
}

/// The template under Meta's id, locked. Names are used again, ids are not.
pub(crate) async fn lock_by_provider_id(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    provider_id: &str,
) -> sqlx::Result<Option<Template>> {
    templates!(
        "where organization_id = $1 and provider_id = $2 for update",
        organization_id.as_uuid(),
        provider_id,
    )
    .fetch_optional(conn)
    .await
}

/// The living template of this name, locked: one that was written here and whose submission was not answered.
pub(crate) async fn lock_by_name(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    waba_id: &str,
    name: &str,
    language: &str,
) -> sqlx::Result<Option<Template>> {
    templates!(
        "where organization_id = $1 and waba_id = $2 and name = $3 and language = $4 and status <> 'deleted' for update",
        organization_id.as_uuid(),
        waba_id,
        name,
        language,
    )
    .fetch_optional(conn)
    .await
}

/// A template that was made elsewhere; false when somebody else stored it at the same moment.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
    waba_id: &str,
    listed: &Listed,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into messaging.templates
             (organization_id, id, waba_id, name, language, category, category_at, parameter_format, provider_id, status,
              status_reason, status_at, quality, definition, revision, synced_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $11, $7, $8, $9, $10, $11, $12, $13, 1, $11, $11, $11)
         on conflict do nothing",
        organization_id.as_uuid(),
        id.as_uuid(),
        waba_id,
        listed.name,
        listed.language,
        listed.category,
        listed.parameter_format,
        listed.provider_id,
        listed.status,
        listed.status_reason,
        at,
        listed.quality,
        listed.definition,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Notes that Meta's list had these.
pub(crate) async fn mark_seen(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    ids: &[TemplateId],
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "update messaging.templates set synced_at = $3 where organization_id = $1 and id = any($2)",
        organization_id.as_uuid(),
        &ids,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those that a list, read to its end since `began`, no longer had.
pub(crate) async fn mark_missing(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    waba_id: &str,
    began: DateTime<Utc>,
) -> sqlx::Result<Vec<TemplateId>> {
    sqlx::query_scalar!(
        r#"update messaging.templates set status = 'deleted', status_reason = '', status_at = $3, updated_at = $3
           where organization_id = $1 and waba_id = $2 and provider_id is not null and status <> 'deleted'
             and status_at < $3 and coalesce(synced_at, created_at) < $3
           returning id as "id: TemplateId""#,
        organization_id.as_uuid(),
        waba_id,
        began,
    )
    .fetch_all(conn)
    .await
}

/// How well a list is known.
#[derive(Debug, Clone)]
pub(crate) struct Sync {
    pub(crate) waba_id: String,
    pub(crate) synced_at: Option<DateTime<Utc>>,
    pub(crate) failure: String,
}

/// The list was read to its end, or why not.
pub(crate) async fn record(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    waba_id: &str,
    failure: Option<&str>,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let synced_at = failure.is_none().then_some(at);
    let failed_at = failure.map(|_| at);
    sqlx::query!(
        "insert into messaging.template_syncs (organization_id, waba_id, synced_at, failure, failed_at)
         values ($1, $2, $3, $4, $5)
         on conflict (organization_id, waba_id) do update set
             synced_at = coalesce(excluded.synced_at, template_syncs.synced_at),
             failure = excluded.failure, failed_at = coalesce(excluded.failed_at, template_syncs.failed_at)",
        organization_id.as_uuid(),
        waba_id,
        synced_at,
        failure.unwrap_or_default(),
        failed_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Of each account.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
) -> sqlx::Result<Vec<Sync>> {
    sqlx::query_as!(
        Sync,
        "select waba_id, synced_at, failure from messaging.template_syncs where organization_id = $1 order by waba_id",
        organization_id.as_uuid(),
    )
    .fetch_all(conn)
    .await
}
