//! `templates` and `template_revisions`.

pub(crate) mod sync;

use chrono::{DateTime, Utc};
use ids::{ChannelId, OrganizationId, TemplateId};
use serde_json::Value;
use sqlx::PgConnection;

/// A stored template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) id: TemplateId,
    pub(crate) waba_id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) parameter_format: String,
    pub(crate) provider_id: Option<String>,
    pub(crate) status: String,
    pub(crate) status_reason: String,
    pub(crate) quality: String,
    pub(crate) definition: Value,
    pub(crate) revision: i32,
    pub(crate) submitted_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Reads templates; `$rest` says which and in what order.
macro_rules! templates {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Template,
            r#"select id as "id: TemplateId", waba_id, name, language, category, parameter_format, provider_id,
                      status, status_reason, quality, definition, revision, submitted_at, created_at,
                      updated_at
               from messaging.templates "# + $rest,
            $($argument),+
        )
    };
}
pub(super) use templates;

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
) -> sqlx::Result<Option<Template>> {
    templates!(
        "where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The template, which nobody else changes until the transaction ends.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
) -> sqlx::Result<Option<Template>> {
    templates!(
        "where organization_id = $1 and id = $2 and status <> 'deleted' for update",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The template that a message through this channel means.
pub(crate) async fn find_for_channel(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    channel_id: ChannelId,
    name: &str,
    language: &str,
) -> sqlx::Result<Option<Template>> {
    templates!(
        "where organization_id = $1 and name = $3 and language = $4 and status not in ('deleted', 'draft')
           and waba_id = (select waba_id from messaging.channels where organization_id = $1 and id = $2)",
        organization_id.as_uuid(),
        channel_id.as_uuid(),
        name,
        language,
    )
    .fetch_optional(conn)
    .await
}

/// Which templates of an organization; what is empty says nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Filter {
    pub(crate) waba_id: String,
    /// The beginning of the name.
    pub(crate) name: String,
    pub(crate) status: Option<String>,
}

/// The place of a template in the list.
pub(crate) type Position = (String, String, TemplateId);

/// By name and language, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    filter: &Filter,
    after: Option<&Position>,
    limit: i64,
) -> sqlx::Result<Vec<Template>> {
    let (name, language, id) = after.map_or(("", "", uuid::Uuid::nil()), |(name, language, id)| {
        (name.as_str(), language.as_str(), id.as_uuid())
    });
    templates!(
        "where organization_id = $1 and (name, language, id) > ($2, $3, $4)
           and ($5 = '' or waba_id = $5) and starts_with(name, $6)
           and case when $7::text is null then status <> 'deleted' else status = $7 end
         order by name, language, id limit $8",
        organization_id.as_uuid(),
        name,
        language,
        id,
        filter.waba_id,
        filter.name,
        filter.status,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A template that is written here.
#[derive(Debug)]
pub(crate) struct NewTemplate<'a> {
    pub(crate) id: TemplateId,
    pub(crate) waba_id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) language: &'a str,
    pub(crate) category: &'a str,
    pub(crate) parameter_format: &'a str,
    pub(crate) definition: &'a Value,
}

/// Fails on `templates_name_key` when the account has one of this name in this language.
pub(crate) async fn insert_draft(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    template: &NewTemplate<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.templates
             (organization_id, id, waba_id, name, language, category, category_at, parameter_format, status, status_at,
              definition, revision, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $8, $7, 'draft', $8, $9, 1, $8, $8)",
        organization_id.as_uuid(),
        template.id.as_uuid(),
        template.waba_id,
        template.name,
        template.language,
        template.category,
        template.parameter_format,
        now,
        template.definition,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces the definition by the next revision.
pub(crate) async fn revise(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
    definition: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "update messaging.templates set definition = $3, revision = revision + 1, updated_at = $4
         where organization_id = $1 and id = $2 returning revision",
        organization_id.as_uuid(),
        id.as_uuid(),
        definition,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Keeps what the template says from now on.
pub(crate) async fn insert_revision(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
    revision: i32,
    author: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.template_revisions (organization_id, template_id, revision, definition, author, created_at)
         select organization_id, id, revision, definition, $4, $5 from messaging.templates
         where organization_id = $1 and id = $2 and revision = $3
         on conflict do nothing",
        organization_id.as_uuid(),
        id.as_uuid(),
        revision,
        author,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Before Meta is asked: from now on nobody knows whether it has the template, until an answer is stored.
pub(crate) async fn mark_submitted(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.templates set submitted_at = $3 where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Meta said no: it surely does not have the template.
pub(crate) async fn unmark_submitted(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.templates set submitted_at = null
         where organization_id = $1 and id = $2 and provider_id is null",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What Meta says of a template now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing<'a> {
    pub(crate) provider_id: Option<&'a str>,
    pub(crate) status: Option<&'a str>,
    pub(crate) status_reason: Option<&'a str>,
    pub(crate) category: Option<&'a str>,
    pub(crate) quality: Option<&'a str>,
    pub(crate) parameter_format: Option<&'a str>,
    /// A deleted one may live again: Meta's list has it. Its name must be free.
    pub(crate) revives: bool,
}

/// Stores it as of `at`, which Meta tells in whole seconds; what is absent stays. What is older than what is stored changes
/// nothing. True when something is
/// different now.
pub(crate) async fn set_standing(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TemplateId,
    standing: &Standing<'_>,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update messaging.templates set
             provider_id = coalesce($3, provider_id),
             status = case when $4::text is not null and $8 >= date_trunc('second', status_at) then $4 else status end,
             status_reason = case when $4::text is not null and $8 >= date_trunc('second', status_at) then coalesce($5, '') else status_reason end,
             status_at = case when $4::text is not null then greatest($8, status_at) else status_at end,
             category = case when $6::text is not null and $8 >= date_trunc('second', category_at) then $6 else category end,
             category_at = case when $6::text is not null then greatest($8, category_at) else category_at end,
             quality = coalesce($7, quality),
             parameter_format = coalesce($9, parameter_format),
             updated_at = greatest($8, updated_at)
         where organization_id = $1 and id = $2 and (status <> 'deleted' or $10)
           and (($3::text is not null and provider_id is distinct from $3)
                or ($4::text is not null and $8 >= date_trunc('second', status_at) and (status, status_reason) is distinct from ($4, coalesce($5, '')))
                or ($6::text is not null and $8 >= date_trunc('second', category_at) and category <> $6)
                or ($7::text is not null and quality <> $7)
                or ($9::text is not null and parameter_format <> $9))",
        organization_id.as_uuid(),
        id.as_uuid(),
        standing.provider_id,
        standing.status,
        standing.status_reason,
        standing.category,
        standing.quality,
        at,
        standing.parameter_format,
        standing.revives,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}
