//! Status reports of a batch: every report is kept, and the messages they speak of move on.

use chrono::{DateTime, Utc};
use ids::{ConversationId, MessageId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::status::Status,
    store::{moved::Moved, routes::Route},
};

/// One report.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) route: Route,
    pub(crate) wamid: String,
    /// WhatsApp's word.
    pub(crate) word: String,
    /// What the word means to us; `None` changes nothing.
    pub(crate) status: Option<Status>,
    pub(crate) recipient: String,
    pub(crate) provider_at: DateTime<Utc>,
    pub(crate) failure: Option<Value>,
    pub(crate) pricing: Option<Value>,
    /// Our own message, told by the token that WhatsApp hands back with the status.
    pub(crate) message_id: Option<MessageId>,
}

/// Keeps the reports. One that was kept before changes nothing.
pub(crate) async fn record(
    conn: &mut PgConnection,
    reports: &[Report],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = reports
        .iter()
        .map(|r| r.route.organization_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = reports
        .iter()
        .map(|r| r.route.channel_id.as_uuid())
        .collect();
    let wamids: Vec<String> = reports.iter().map(|r| r.wamid.clone()).collect();
    let words: Vec<String> = reports.iter().map(|r| r.word.clone()).collect();
    let recipients: Vec<String> = reports.iter().map(|r| r.recipient.clone()).collect();
    let times: Vec<DateTime<Utc>> = reports.iter().map(|r| r.provider_at).collect();
    let failures: Vec<Option<&Value>> = reports.iter().map(|r| r.failure.as_ref()).collect();
    let pricing: Vec<Option<&Value>> = reports.iter().map(|r| r.pricing.as_ref()).collect();
    let applied: Vec<bool> = reports.iter().map(|r| r.message_id.is_some()).collect();
    sqlx::query!(
        "insert into messaging.message_statuses
             (organization_id, channel_id, wamid, status, recipient, provider_at, failure, pricing, applied, received_at)
         select o, h, w, s, r, at, f, p, a or k.message_id is not null, $10
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[],
                     $8::jsonb[], $9::bool[]) as report(o, h, w, s, r, at, f, p, a)
         left join messaging.message_keys k on k.organization_id = o and k.channel_id = h and k.wamid = w
         order by o, h, w, s, r, at
         on conflict do nothing",
        &organizations,
        &channels,
        &wamids,
        &words,
        &recipients,
        &times,
        &failures as &[Option<&Value>],
        &pricing as &[Option<&Value>],
        &applied,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the messages on, each to the greatest rank reported (so a repeated or late report changes
/// nothing), and returns those that did move. Row locks make a concurrent result of the lane wait. What
/// moves on from a failure has not failed, so the failure goes.
pub(crate) async fn apply(conn: &mut PgConnection, reports: &[Report]) -> sqlx::Result<Vec<Moved>> {
    let known: Vec<(&Report, Status)> = reports
        .iter()
        .filter_map(|report| report.status.map(|status| (report, status)))
        .collect();
    let organizations: Vec<Uuid> = known
        .iter()
        .map(|(r, _)| r.route.organization_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = known
        .iter()
        .map(|(r, _)| r.route.channel_id.as_uuid())
        .collect();
    let wamids: Vec<String> = known.iter().map(|(r, _)| r.wamid.clone()).collect();
    let ranks: Vec<i16> = known.iter().map(|(_, status)| status.rank()).collect();
    let times: Vec<DateTime<Utc>> = known.iter().map(|(r, _)| r.provider_at).collect();
    let failures: Vec<Option<&Value>> = known.iter().map(|(r, _)| r.failure.as_ref()).collect();
    let messages: Vec<Option<Uuid>> = known
        .iter()
        .map(|(r, _)| r.message_id.map(MessageId::as_uuid))
        .collect();
    sqlx::query_as!(
        Moved,
        r#"with report as (
               select distinct on (o, m) o, m, rank, at, f, w
               from (
                   select o, coalesce(given, k.message_id) as m, rank, at, f, w
                   from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int2[], $5::timestamptz[], $6::jsonb[],
                               $7::uuid[]) as r(o, h, w, rank, at, f, given)
                   left join messaging.message_keys k on k.organization_id = o and k.channel_id = h and k.wamid = w
               ) as joined
               where m is not null
               order by o, m, rank desc, at
           ), locked as (
               select msg.organization_id, msg.id from messaging.messages msg
               join report on msg.organization_id = o and msg.id = m
               where msg.direction = 2
               order by msg.organization_id, msg.id
               for no key update of msg
           )
           update messaging.messages msg
           set status = rank, status_at = at, failure = f, wamid = coalesce(msg.wamid, w)
           from report, locked
           where msg.organization_id = o and msg.id = m and msg.status < rank
             and locked.organization_id = msg.organization_id and locked.id = msg.id
           returning msg.organization_id as "organization_id: OrganizationId", msg.id as "message_id: MessageId",
                     msg.conversation_id as "conversation_id: ConversationId", msg.status as "status: Status",
                     msg.failure, msg.status_at"#,
        &organizations,
        &channels,
        &wamids,
        &ranks,
        &times,
        &failures as &[Option<&Value>],
        &messages as &[Option<Uuid>],
    )
    .fetch_all(conn)
    .await
}
