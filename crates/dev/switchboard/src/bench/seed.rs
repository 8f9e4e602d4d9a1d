//! Fills the scratch database by SQL: a tenant that has been there for a while, and messages that
//! wait to be sent. Writing so much through the API would take longer than all measurements.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use ids::{ChannelId, MessageId, OrganizationId};
use sqlx::{PgConnection, types::Uuid};

/// Makes uuids v7 in SQL, from milliseconds and a number that tells rows apart. In the session's
/// own schema, so nothing of it remains.
const V7: &str = "
    create or replace function pg_temp.v7(ms bigint, n bigint) returns uuid language sql immutable as
    $$ select (overlay(lpad(to_hex(ms), 12, '0') placing '-' from 9 for 0)
               || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$";

/// How old the tenant is.
const DAYS: i32 = 25;

/// Whose rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tenant {
    pub(super) organization_id: OrganizationId,
    pub(super) channel_id: ChannelId,
}

/// How much of everything there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) contacts: i32,
    /// Of so many contacts, one each.
    pub(super) conversations: i32,
    pub(super) messages: i32,
}

/// Beside what the tenant has got before. Each statement takes: organization, channel, conversations, messages, days, contacts.
const HISTORY: [&str; 5] = [
    "insert into messaging.contacts (organization_id, id, name, created_at, updated_at)
     select $1, pg_temp.v7((extract(epoch from at) * 1000)::bigint, n), 'Client ' || n, at, at
     from generate_series(1, $6) as n, lateral (select now() - make_interval(days => $5) as at) as made
     where $2 is not null and $3 + $4 >= 0",
    "insert into messaging.contact_identities (organization_id, kind, value, contact_id, created_at)
     select organization_id, 'phone', '49151' || lpad(row_number() over (order by id)::text, 8, '0'), id, created_at
     from messaging.contacts where organization_id = $1 and name like 'Client %' and $2 is not null and $3 + $4 + $5 + $6 >= 0",
    "insert into messaging.conversations
         (organization_id, id, channel_id, contact_id, status, unanswered_count, preview, last_message_at,
          last_inbound_at, created_at)
     select $1, id, $2, id, case when n % 4 = 0 then 'resolved' else 'open' end, n % 3,
            'Thank you, that helps a lot. Until next week!', at, at, created_at
     from (select id, created_at, row_number() over (order by id) as n from messaging.contacts
           where organization_id = $1 and name like 'Client %') as contact,
          lateral (select now() - interval '12 hours' * n / $3 as at) as active
     where n <= $3 and $4 + $5 + $6 >= 0",
    "insert into messaging.messages
         (organization_id, id, conversation_id, channel_id, contact_id, direction, status, status_at, content,
          wamid, author, created_at, sent_at)
     select $1, pg_temp.v7((extract(epoch from at) * 1000)::bigint, n), conversation.id, $2, conversation.id,
            1 + n % 2, case when n % 2 = 0 then 100 else 50 end, at,
            jsonb_build_object('text', jsonb_build_object('body', 'Message ' || n || ': is my order on its way?')),
            'wamid.HBgLMTU1NTAwMDAwMDAVAgASGBRo' || lpad(n::text, 20, '0'),
            case when n % 2 = 0 then 'contact' else 'system:history' end, at, at
     from generate_series(1, $4) as n
     join (select id, row_number() over (order by id) as place from messaging.conversations
           where organization_id = $1) as conversation on conversation.place = 1 + n % $3,
          lateral (select now() - make_interval(days => $5) * (1 - n::float8 / $4) as at) as sent
     where $6 >= 0",
    "insert into messaging.message_keys (organization_id, channel_id, wamid, message_id)
     select organization_id, channel_id, wamid, id from messaging.messages
     where organization_id = $1 and channel_id = $2 and wamid like 'wamid.HBgLMTU1NTAwMDAwMDAVAgASGBRo%'
       and $3 + $4 + $5 + $6 >= 0",
];

const SETTLE: &str = "vacuum (analyze) messaging.contacts, messaging.contact_identities,
    messaging.conversations, messaging.messages, messaging.message_keys";

/// Writes a tenant's past: contacts, conversations that were active within the last 12 hours, and their
/// messages.
pub(super) async fn history(admin: &mut PgConnection, tenant: Tenant, past: Past) -> Result<()> {
    // Ours alone and consistent by construction: foreign keys need no check, and nothing of it has
    // to survive a crash.
    for statement in [
        V7,
        "set session_replication_role = replica",
        "set synchronous_commit = off",
        "select messaging.ensure_message_partitions(now() - interval '2 months', now())",
    ] {
        sqlx::raw_sql(statement)
            .execute(&mut *admin)
            .await
            .context("prepare the history")?;
    }
    for statement in HISTORY {
        sqlx::query(statement)
            .bind(tenant.organization_id.as_uuid())
            .bind(tenant.channel_id.as_uuid())
            .bind(past.conversations)
            .bind(past.messages)
            .bind(DAYS)
            .bind(past.contacts)
            .execute(&mut *admin)
            .await
            .context("write the history")?;
    }
    Ok(())
}

/// What tenants that grew slowly have got long ago; else it happens while we measure.
pub(super) async fn settle(admin: &mut PgConnection) -> Result<()> {
    // Tables that are empty are left alone: they would be known as empty, and plans made for that.
    for statement in [SETTLE, "checkpoint"] {
        sqlx::raw_sql(statement)
            .execute(&mut *admin)
            .await
            .context("settle the history")?;
    }
    Ok(())
}

/// Takes: organization, channel, messages, milliseconds, time.
const QUEUE: &str = "
    with target as (
        select id, contact_id, row_number() over (order by id) as n from messaging.conversations
        where organization_id = $1 and channel_id = $2 and last_inbound_at > $5 - interval '20 hours'
        order by id limit $3
    ), message as (
        insert into messaging.messages
            (organization_id, id, conversation_id, channel_id, contact_id, direction, status, status_at, content,
             author, created_at, sent_at, expires_at)
        select $1, pg_temp.v7($4, n), id, $2, contact_id, 2, 0, $5,
               jsonb_build_object('text', jsonb_build_object('body', 'Offer ' || n || ': free shipping until Friday.')),
               'system:campaign', $5, $5, $5 + interval '1 hour'
        from target
        returning id, conversation_id, expires_at
    )
    insert into messaging.send_queue
        (organization_id, message_id, channel_id, conversation_id, priority, due_at, expires_at)
    select $1, id, $2, conversation_id, 1, $5, expires_at from message order by id";

/// Messages that were queued together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub(super) first: Uuid,
    pub(super) last: Uuid,
    pub(super) count: u64,
}

/// Queues a message to each of so many customers whose window is open, as a campaign does, in one
/// transaction: the lane finds all of them at once.
pub(super) async fn queue(
    admin: &mut PgConnection,
    tenant: Tenant,
    messages: i32,
    now: DateTime<Utc>,
) -> Result<Queued> {
    sqlx::raw_sql(V7)
        .execute(&mut *admin)
        .await
        .context("prepare the queue")?;
    let done = sqlx::query(QUEUE)
        .bind(tenant.organization_id.as_uuid())
        .bind(tenant.channel_id.as_uuid())
        .bind(messages)
        .bind(now.timestamp_millis())
        .bind(now)
        .execute(admin)
        .await
        .context("queue messages")?;
    let unix_ms = u64::try_from(now.timestamp_millis()).context("a time after 1970")?;
    Ok(Queued {
        first: MessageId::min_at(unix_ms).as_uuid(),
        last: MessageId::min_at(unix_ms + 1).as_uuid(),
        count: done.rows_affected(),
    })
}
