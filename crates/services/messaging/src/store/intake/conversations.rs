//! Conversation heads of a batch.

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::contacts::{Identity, identities};
use crate::store::routes::Route;

/// What a batch says about one conversation.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) route: Route,
    pub(crate) contact_id: ContactId,
    /// What the last of these messages was written from.
    pub(crate) identity: Option<Identity>,
    /// The id it gets if it does not exist.
    pub(crate) fresh_id: ConversationId,
    /// New inbound messages.
    pub(crate) inbound: i32,
    pub(crate) preview: String,
    pub(crate) last_inbound_at: DateTime<Utc>,
}

/// A conversation after the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touched {
    pub(crate) organization_id: OrganizationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) id: ConversationId,
    /// It did not exist before.
    pub(crate) created: bool,
}

/// Creates or moves the heads. `greatest` makes the result independent of the order of batches. A message wakes what is
/// snoozed and opens what is resolved; who had a resolved one gets it back only if still there.
pub(crate) async fn touch(
    conn: &mut PgConnection,
    heads: &[Head],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Touched>> {
    let organizations: Vec<Uuid> = heads
        .iter()
        .map(|head| head.route.organization_id.as_uuid())
        .collect();
    let ids: Vec<Uuid> = heads.iter().map(|head| head.fresh_id.as_uuid()).collect();
    let channels: Vec<Uuid> = heads
        .iter()
        .map(|head| head.route.channel_id.as_uuid())
        .collect();
    let contacts: Vec<Uuid> = heads.iter().map(|head| head.contact_id.as_uuid()).collect();
    let inbound: Vec<i32> = heads.iter().map(|head| head.inbound).collect();
    let previews: Vec<String> = heads.iter().map(|head| head.preview.clone()).collect();
    let times: Vec<DateTime<Utc>> = heads.iter().map(|head| head.last_inbound_at).collect();
    let (kinds, values) = identities(heads.iter().map(|head| head.identity.as_ref()));
    let rows = sqlx::query!(
        r#"insert into messaging.conversations as c
               (organization_id, id, channel_id, contact_id, unanswered_count, inbound_count, preview,
                last_message_at, last_inbound_at, created_at, identity_kind, identity_value)
           select o, i, h, t, n, n, p, at, at, $8, k, v
           from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::text[], $7::timestamptz[],
                       $9::text[], $10::text[]) as head(o, i, h, t, n, p, at, k, v)
           order by o, h, t
           on conflict on constraint conversations_parties_key do update set
               status = case when c.status in ('snoozed', 'resolved') then 'open' else c.status end,
               snoozed_until = null,
               version = c.version + (c.status in ('snoozed', 'resolved'))::int,
               assignee_id = case when c.status = 'resolved' then (
                   select a.user_id from messaging.agents a
                   where a.organization_id = c.organization_id and a.user_id = c.assignee_id and a.active)
                   else c.assignee_id end,
               team_id = case when c.status = 'resolved' then (
                   select g.id from messaging.teams g
                   where g.organization_id = c.organization_id and g.id = c.team_id and not g.deleted)
                   else c.team_id end,
               inbound_count = c.inbound_count + excluded.inbound_count,
               unanswered_count = c.unanswered_count + excluded.unanswered_count,
               preview = case when excluded.last_message_at >= c.last_message_at
                              then excluded.preview else c.preview end,
               last_message_at = greatest(c.last_message_at, excluded.last_message_at),
               last_inbound_at = greatest(c.last_inbound_at, excluded.last_inbound_at),
               (identity_kind, identity_value) = (
                   select k, v
                   from (values (excluded.identity_kind, excluded.identity_value, excluded.last_inbound_at, 1),
                                (c.identity_kind, c.identity_value, c.last_inbound_at, 0)) as shown(k, v, at, fresh)
                   order by k is null, at desc nulls last, fresh desc limit 1)
           returning organization_id as "organization_id: OrganizationId",
                     channel_id as "channel_id: ChannelId",
                     contact_id as "contact_id: ContactId",
                     id as "id: ConversationId",
                     (xmax = 0) as "created!""#,
        &organizations,
        &ids,
        &channels,
        &contacts,
        &inbound,
        &previews,
        &times,
        now,
        &kinds as &[Option<&str>],
        &values as &[Option<&str>],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Touched {
            organization_id: row.organization_id,
            channel_id: row.channel_id,
            contact_id: row.contact_id,
            id: row.id,
            created: row.created,
        })
        .collect())
}
