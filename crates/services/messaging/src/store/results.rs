//! What attempts came to. The attempt's id guards every write, not the lease: a call that was made
//! has a result, whoever owns the lane by now.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use ids::{AttemptId, ConversationId, MessageId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::status::Status,
    store::{intake::keys, moved::Moved, routes::Route},
};

/// WhatsApp took these: message, attempt and its id there. Returns those that moved on: a status may
/// have been faster than this answer.
///
/// The order of locks is that of the intake of statuses, which often races this: keys, messages by
/// id, attempts, queue.
pub(crate) async fn accept(
    conn: &mut PgConnection,
    route: Route,
    accepted: &[(MessageId, AttemptId, String)],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Moved>> {
    let messages: Vec<Uuid> = accepted
        .iter()
        .map(|(message, ..)| message.as_uuid())
        .collect();
    let attempts: Vec<Uuid> = accepted
        .iter()
        .map(|(_, attempt, _)| attempt.as_uuid())
        .collect();
    let wamids: Vec<String> = accepted.iter().map(|(.., wamid)| wamid.clone()).collect();
    let keys: Vec<(Route, &str, MessageId)> = accepted
        .iter()
        .map(|(message, _, wamid)| (route, wamid.as_str(), *message))
        .collect();
    keys::claim(&mut *conn, &keys).await?;
    let moved = sqlx::query_as!(
        Moved,
        r#"with result as (
               select * from unnest($2::uuid[], $3::text[]) as r(m, w)
           ), locked as (
               select msg.id from messaging.messages msg
               where msg.organization_id = $1 and msg.id = any($2::uuid[])
               order by msg.id
               for no key update of msg
           )
           update messaging.messages msg set status = $5, status_at = $4, wamid = w, failure = null
           from result, locked
           where msg.organization_id = $1 and msg.id = m and locked.id = msg.id and msg.status < $5
           returning msg.organization_id as "organization_id: OrganizationId", msg.id as "message_id: MessageId",
                     msg.conversation_id as "conversation_id: ConversationId", msg.status as "status: Status",
                     msg.failure, msg.status_at"#,
        route.organization_id.as_uuid(),
        &messages,
        &wamids,
        now,
        Status::Accepted.rank(),
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "with closed as (
             update messaging.attempts t set state = 'accepted', finished_at = $4, wamid = w
             from unnest($2::uuid[], $3::text[]) as r(a, w)
             where t.organization_id = $1 and t.id = a
         )
         delete from messaging.send_queue where organization_id = $1 and message_id = any($5::uuid[])",
        route.organization_id.as_uuid(),
        &attempts,
        &wamids,
        now,
        &messages,
    )
    .execute(conn)
    .await?;
    Ok(moved)
}

/// How an attempt ended that was not accepted.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) attempt_id: AttemptId,
    /// `rejected`, `not_sent` or `unknown`.
    pub(crate) state: &'static str,
    pub(crate) provider_code: Option<i32>,
    /// For operators; no content and no address of the customer.
    pub(crate) detail: String,
}

/// Closes attempts that were not accepted and returns those that were open until now: for the
/// others somebody else has found a result.
pub(crate) async fn close(
    conn: &mut PgConnection,
    route: Route,
    closed: &[Closed],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<AttemptId>> {
    let ids: Vec<Uuid> = closed.iter().map(|c| c.attempt_id.as_uuid()).collect();
    let states: Vec<String> = closed.iter().map(|c| c.state.to_owned()).collect();
    let codes: Vec<Option<i32>> = closed.iter().map(|c| c.provider_code).collect();
    let details: Vec<String> = closed.iter().map(|c| c.detail.clone()).collect();
    let rows = sqlx::query_scalar!(
        r#"update messaging.attempts t set state = s, finished_at = $2, provider_code = c, detail = d
           from unnest($3::uuid[], $4::text[], $5::int[], $6::text[]) as r(a, s, c, d)
           where t.organization_id = $1 and t.id = a and t.state in ('sending', 'unknown')
           returning t.id as "id: AttemptId""#,
        route.organization_id.as_uuid(),
        now,
        &ids,
        &states,
        &codes as &[Option<i32>],
        &details,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Back into the queue, after an attempt that surely sent nothing. Another owner of the lane may have
/// held the message meanwhile.
pub(crate) async fn requeue(
    conn: &mut PgConnection,
    route: Route,
    messages: &[(MessageId, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = messages.iter().map(|(id, _)| id.as_uuid()).collect();
    let times: Vec<DateTime<Utc>> = messages.iter().map(|(_, due_at)| *due_at).collect();
    sqlx::query!(
        "with locked as (
             select msg.id from messaging.messages msg
             where msg.organization_id = $1 and msg.id = any($2::uuid[])
             order by msg.id
             for no key update of msg
         ), queued as (
             update messaging.send_queue q set state = 'queued', due_at = least(at, q.expires_at)
             from unnest($2::uuid[], $3::timestamptz[]) as later(m, at), locked
             where q.organization_id = $1 and q.message_id = m and locked.id = m and q.state in ('sending', 'held')
             returning q.message_id
         )
         update messaging.messages set status = $4, status_at = $5
         from queued where organization_id = $1 and id = queued.message_id and status = $6",
        route.organization_id.as_uuid(),
        &ids,
        &times,
        Status::Queued.rank(),
        now,
        Status::Sending.rank(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The end of a message that was not accepted: `failed`, `expired` or `unconfirmed`. Returns those
/// that no status had moved further already.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    route: Route,
    ended: &[(MessageId, Status, Option<Value>)],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Moved>> {
    let ids: Vec<Uuid> = ended.iter().map(|(id, ..)| id.as_uuid()).collect();
    let ranks: Vec<i16> = ended.iter().map(|(_, status, _)| status.rank()).collect();
    let failures: Vec<Option<&Value>> =
        ended.iter().map(|(.., failure)| failure.as_ref()).collect();
    sqlx::query_as!(
        Moved,
        r#"with left_queue as (
               delete from messaging.send_queue where organization_id = $1 and message_id = any($2::uuid[])
           )
           update messaging.messages msg set status = rank, status_at = $5, failure = f
           from unnest($2::uuid[], $3::int2[], $4::jsonb[]) as e(m, rank, f)
           where msg.organization_id = $1 and msg.id = m and msg.status < rank
           returning msg.organization_id as "organization_id: OrganizationId", msg.id as "message_id: MessageId",
                     msg.conversation_id as "conversation_id: ConversationId", msg.status as "status: Status",
                     msg.failure, msg.status_at"#,
        route.organization_id.as_uuid(),
        &ids,
        &ranks,
        &failures as &[Option<&Value>],
        now,
    )
    .fetch_all(conn)
    .await
}

/// Keeps messages in their place while their attempts are unknown: the conversation waits.
pub(crate) async fn hold(
    conn: &mut PgConnection,
    route: Route,
    messages: &[MessageId],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = messages.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "update messaging.send_queue set state = 'held'
         where organization_id = $1 and message_id = any($2::uuid[]) and state = 'sending'",
        route.organization_id.as_uuid(),
        &ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Attempts of a former owner that have no result: it died, or it still waits for an answer.
pub(crate) async fn abandon(
    conn: &mut PgConnection,
    route: Route,
    epoch: i64,
) -> sqlx::Result<Vec<(MessageId, AttemptId)>> {
    let rows = sqlx::query!(
        r#"with unknown as (
               update messaging.attempts set state = 'unknown', detail = 'the sender stopped before the answer'
               where organization_id = $1 and channel_id = $2 and state = 'sending' and lane_epoch < $3
               returning id, message_id
           ), held as (
               update messaging.send_queue q set state = 'held' from unknown
               where q.organization_id = $1 and q.message_id = unknown.message_id and q.state = 'sending'
           )
           select id as "id: AttemptId", message_id as "message_id: MessageId" from unknown"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        epoch,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.message_id, row.id))
        .collect())
}

/// A status told that these were accepted: their attempts are settled and their conversations go
/// on, without waiting for an answer that is late or lost.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    organizations: &[Uuid],
    messages: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with told as (select * from unnest($1::uuid[], $2::uuid[]) as t(o, m)),
         settled as (
             update messaging.attempts a set state = 'accepted', finished_at = $3 from told
             where a.organization_id = o and a.message_id = m and a.state in ('sending', 'unknown', 'unconfirmed')
         )
         delete from messaging.send_queue q using told
         where q.organization_id = o and q.message_id = m and q.state in ('sending', 'held')",
        organizations,
        messages,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Statuses that only WhatsApp's webhooks bring; a failure may also be an answer to the call.
const REPORTED: [Status; 4] = [
    Status::Sent,
    Status::Delivered,
    Status::Read,
    Status::Played,
];

/// An attempt whose outcome is unknown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unknown {
    pub(crate) message_id: MessageId,
    pub(crate) route: Route,
    pub(crate) started_at: DateTime<Utc>,
    /// A status came for a message that was sent later through the same number: status webhooks
    /// flow, so this one's would have come too.
    pub(crate) statuses_flow: bool,
}

/// The attempt, if its outcome is still unknown.
pub(crate) async fn find_unknown(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    attempt_id: AttemptId,
) -> sqlx::Result<Option<Unknown>> {
    let row = sqlx::query!(
        r#"select a.message_id as "message_id: MessageId", a.organization_id as "organization_id: OrganizationId",
                  a.channel_id as "channel_id: ids::ChannelId", a.started_at,
                  exists (
                      select from messaging.attempts later
                      join messaging.messages m on m.organization_id = later.organization_id and m.id = later.message_id
                      where later.organization_id = a.organization_id and later.channel_id = a.channel_id
                        and later.started_at > a.started_at and m.status = any($3::int2[])
                  ) as "statuses_flow!"
           from messaging.attempts a where a.organization_id = $1 and a.id = $2 and a.state = 'unknown'"#,
        organization_id.as_uuid(),
        attempt_id.as_uuid(),
        &REPORTED.map(Status::rank),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Unknown {
        message_id: row.message_id,
        route: Route {
            organization_id: row.organization_id,
            channel_id: row.channel_id,
        },
        started_at: row.started_at,
        statuses_flow: row.statuses_flow,
    }))
}

/// Gives up on learning the outcome.
pub(crate) async fn unconfirm(
    conn: &mut PgConnection,
    route: Route,
    attempt_id: AttemptId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update messaging.attempts set state = 'unconfirmed', finished_at = $3
         where organization_id = $1 and id = $2 and state = 'unknown'",
        route.organization_id.as_uuid(),
        attempt_id.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}
