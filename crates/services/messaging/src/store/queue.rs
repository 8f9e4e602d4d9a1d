//! `send_queue` and `attempts`: from "waits" to "has a result".

use chrono::{DateTime, Utc};
use ids::{AttemptId, ConversationId, MessageId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::status::Status,
    store::{lanes::Lease, moved::Moved, routes::Route},
};

/// A message to put into its number's lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) route: Route,
    pub(crate) message_id: MessageId,
    pub(crate) conversation_id: ConversationId,
    /// 0 replies, 1 bulk.
    pub(crate) priority: i16,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A claimed message with all that sending it needs.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) message_id: MessageId,
    /// Counts from 1.
    pub(crate) attempt: i32,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) content: Value,
    /// WhatsApp's id of the message to quote.
    pub(crate) reply_to_wamid: Option<String>,
    /// The customer's address: `phone` or `user_id`, and its value.
    pub(crate) address: Option<(String, String)>,
    pub(crate) last_inbound_at: Option<DateTime<Utc>>,
    pub(crate) blocked: bool,
    /// The purpose of its template, where the customer took back consent to that.
    pub(crate) unwanted: Option<String>,
}

/// Puts a message into the lane. The event that goes with it wakes the lane's owner.
pub(crate) async fn insert(conn: &mut PgConnection, waiting: Waiting) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.send_queue
             (organization_id, message_id, channel_id, conversation_id, priority, due_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        waiting.route.organization_id.as_uuid(),
        waiting.message_id.as_uuid(),
        waiting.route.channel_id.as_uuid(),
        waiting.conversation_id.as_uuid(),
        waiting.priority,
        waiting.due_at,
        waiting.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Claims what is due, replies first, and of each conversation only its first message: the next one
/// waits until this one has a result, which is what keeps a conversation in order.
///
/// It goes to what the customer wrote from last in the conversation; where the contact has that no more, to the newest
/// number, then to the newest user id. WhatsApp takes no authentication template for a user id (131062).
pub(crate) async fn claim(
    conn: &mut PgConnection,
    lease: &Lease,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Claimed>> {
    let rows = sqlx::query!(
        r#"with due as (
               select q.message_id from messaging.send_queue q
               where q.organization_id = $1 and q.channel_id = $2 and q.state = 'queued' and q.due_at <= $3
                 and not exists (
                     select from messaging.send_queue earlier
                     where earlier.organization_id = q.organization_id
                       and earlier.conversation_id = q.conversation_id and earlier.position < q.position)
               order by q.priority, q.position
               limit $4
               for update skip locked
           ), taken as (
               update messaging.send_queue q set state = 'sending', attempts = q.attempts + 1
               from due where q.organization_id = $1 and q.message_id = due.message_id
               returning q.message_id, q.conversation_id, q.attempts, q.expires_at, q.priority, q.position
           )
           select t.message_id as "message_id: MessageId", t.attempts, t.expires_at, m.content, answered.wamid as "reply_to_wamid?",
                  address.kind as "address_kind?", address.value as "address_value?", c.last_inbound_at,
                  p.blocked_at is not null as "blocked!", case when not said.granted then tc.category end as "unwanted?"
           from taken t
           join messaging.messages m on m.organization_id = $1 and m.id = t.message_id
           join messaging.conversations c on c.organization_id = $1 and c.id = t.conversation_id
           join messaging.contacts p on p.organization_id = $1 and p.id = m.contact_id
           join messaging.channels h on h.organization_id = $1 and h.id = m.channel_id
           left join messaging.templates tc
             on tc.organization_id = $1 and tc.waba_id = h.waba_id and tc.status <> 'deleted'
            and tc.name = m.content -> 'template' ->> 'name' and tc.language = m.content -> 'template' ->> 'language'
           left join lateral (
               select s.granted from messaging.consents s
               where s.organization_id = $1 and s.contact_id = m.contact_id and s.purpose = tc.category
               order by s.occurred_at desc, s.position desc
               limit 1
           ) as said on tc.category in ('marketing', 'utility')
           left join messaging.messages answered on answered.organization_id = $1 and answered.id = m.reply_to_message_id
           left join lateral (
               select i.kind, i.value from messaging.contact_identities i
               where i.organization_id = $1 and i.contact_id = m.contact_id and i.kind in ('phone', 'user_id')
               order by (tc.category is not distinct from 'authentication' and i.kind = 'user_id'),
                        (i.kind = c.identity_kind and i.value = c.identity_value) desc nulls last,
                        i.kind, i.created_at desc
               limit 1
           ) as address on true
           order by t.priority, t.position"#,
        lease.route.organization_id.as_uuid(),
        lease.route.channel_id.as_uuid(),
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Claimed {
            message_id: row.message_id,
            attempt: row.attempts,
            expires_at: row.expires_at,
            content: row.content,
            reply_to_wamid: row.reply_to_wamid,
            address: row.address_kind.zip(row.address_value),
            last_inbound_at: row.last_inbound_at,
            blocked: row.blocked,
            unwanted: row.unwanted,
        })
        .collect())
}

/// Writes the attempts before the calls are made: whatever happens then, this much is known.
pub(crate) async fn begin_attempts(
    conn: &mut PgConnection,
    lease: &Lease,
    attempts: &[(AttemptId, MessageId, i32)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = attempts.iter().map(|(id, ..)| id.as_uuid()).collect();
    let messages: Vec<Uuid> = attempts
        .iter()
        .map(|(_, message, _)| message.as_uuid())
        .collect();
    let numbers: Vec<i32> = attempts.iter().map(|(.., number)| *number).collect();
    sqlx::query!(
        "with begun as (
             insert into messaging.attempts
                 (organization_id, id, message_id, channel_id, number, state, lane_epoch, started_at)
             select $1, i, m, $2, n, 'sending', $3, $4
             from unnest($5::uuid[], $6::uuid[], $7::int[]) as a(i, m, n)
         )
         update messaging.messages set status = $8, status_at = $4
         where organization_id = $1 and id = any($6::uuid[]) and status < $8",
        lease.route.organization_id.as_uuid(),
        lease.route.channel_id.as_uuid(),
        lease.epoch,
        now,
        &ids,
        &messages,
        &numbers,
        Status::Sending.rank(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts messages back to wait until their times, without having tried.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    route: Route,
    messages: &[(MessageId, DateTime<Utc>)],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = messages.iter().map(|(id, _)| id.as_uuid()).collect();
    let times: Vec<DateTime<Utc>> = messages.iter().map(|(_, due_at)| *due_at).collect();
    sqlx::query!(
        "update messaging.send_queue q set state = 'queued', due_at = least(later.at, q.expires_at), attempts = greatest(q.attempts - 1, 0)
         from unnest($2::uuid[], $3::timestamptz[]) as later(m, at)
         where q.organization_id = $1 and q.message_id = later.m",
        route.organization_id.as_uuid(),
        &ids,
        &times,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends messages that wait past their time in blocked channels, and returns them.
pub(crate) async fn expire_blocked(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Moved>> {
    sqlx::query_as!(
        Moved,
        r#"with late as (
               select q.organization_id, q.message_id from messaging.send_queue q
               join messaging.channels h on h.organization_id = q.organization_id and h.id = q.channel_id
               join messaging.messages m on m.organization_id = q.organization_id and m.id = q.message_id
               where h.state = 'blocked' and q.state = 'queued' and q.expires_at <= $1
               limit $2
               for update of q, m skip locked
           ), left_queue as (
               delete from messaging.send_queue q using late
               where q.organization_id = late.organization_id and q.message_id = late.message_id
           )
           update messaging.messages msg set status = $3, status_at = $1, failure = null
           from late
           where msg.organization_id = late.organization_id and msg.id = late.message_id and msg.status < $3
           returning msg.organization_id as "organization_id: OrganizationId", msg.id as "message_id: MessageId",
                     msg.conversation_id as "conversation_id: ConversationId", msg.status as "status: Status",
                     msg.failure, msg.status_at"#,
        now,
        limit,
        Status::Expired.rank(),
    )
    .fetch_all(conn)
    .await
}
