//! `channel_notices`: what WhatsApp reported besides messages.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use ids::{ChannelId, NoticeId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::routes::Route;

/// A report as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) id: NoticeId,
    pub(crate) field: String,
    pub(crate) value: Value,
    pub(crate) received_at: DateTime<Utc>,
}

/// A report of a batch.
#[derive(Debug, Clone)]
pub(crate) struct NewNotice {
    pub(crate) route: Route,
    pub(crate) id: NoticeId,
    pub(crate) field: String,
    pub(crate) value: Value,
    pub(crate) dedupe_key: String,
}

/// Stores the reports; returns the ids of those that are new.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    notices: &[NewNotice],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<NoticeId>> {
    let organizations: Vec<Uuid> = notices
        .iter()
        .map(|n| n.route.organization_id.as_uuid())
        .collect();
    let ids: Vec<Uuid> = notices.iter().map(|n| n.id.as_uuid()).collect();
    let channels: Vec<Uuid> = notices
        .iter()
        .map(|n| n.route.channel_id.as_uuid())
        .collect();
    let fields: Vec<String> = notices.iter().map(|n| n.field.clone()).collect();
    let values: Vec<&Value> = notices.iter().map(|n| &n.value).collect();
    let keys: Vec<String> = notices.iter().map(|n| n.dedupe_key.clone()).collect();
    let fresh = sqlx::query_scalar!(
        r#"insert into messaging.channel_notices (organization_id, id, channel_id, field, value, dedupe_key, received_at)
           select o, i, h, f, v, k, $7
           from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[]) as n(o, i, h, f, v, k)
           order by o, h, k
           on conflict do nothing
           returning id as "id: NoticeId""#,
        &organizations,
        &ids,
        &channels,
        &fields,
        &values as &[&Value],
        &keys,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(fresh.into_iter().collect())
}

/// Newest first, before `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    channel_id: ChannelId,
    before: Option<NoticeId>,
    limit: i64,
) -> sqlx::Result<Vec<Notice>> {
    sqlx::query_as!(
        Notice,
        r#"select id as "id: NoticeId", field, value, received_at from messaging.channel_notices
           where organization_id = $1 and channel_id = $2 and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        organization_id.as_uuid(),
        channel_id.as_uuid(),
        before.map(NoticeId::as_uuid),
        limit,
    )
    .fetch_all(conn)
    .await
}
