//! Events, written with the change they tell of. Nothing is published from here: a relay reads the unpublished rows
//! ([`unpublished`]), and clients resume the feed ([`Feed`]) from the same rows.

mod feed;
mod relay;
mod wake;

use std::fmt;

use chrono::{DateTime, Utc};
use ids::{EventId, OrganizationId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{AsTx, DbError, Schema, advisory, statement::Statement};

pub use feed::{Cursor, CursorInvalid, Feed, FeedEvent, FeedPage};
pub use relay::{
    Backlog, Refusal, Unpublished, backlog, mark_published, mark_refused, unpublished,
};
pub use wake::Wake;

#[derive(Debug)]
pub(crate) struct Sql {
    push: Statement,
    relay: relay::Sql,
    feed: feed::Sql,
    channels: Channels,
}

impl Sql {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            push: Statement::new(schema, PUSH),
            relay: relay::Sql::new(schema),
            feed: feed::Sql::new(schema),
            channels: Channels::new(schema),
        }
    }
}

/// How writers and waiters find each other.
#[derive(Debug, Clone)]
struct Channels {
    /// Writers tell the relay.
    relay: String,
    /// The relay tells the readers of the feed, who hear the writers as well.
    feed: String,
    /// The advisory lock that a sleeping relay holds; see [`Wake`].
    asleep: i64,
}

impl Channels {
    fn new(schema: Schema) -> Self {
        Self {
            relay: format!("{schema}_outbox"),
            feed: format!("{schema}_feed"),
            asleep: advisory::key(schema, "outbox.asleep"),
        }
    }
}

/// One statement for any number of events. A NOTIFY makes its commit wait for every other commit with a NOTIFY in the
/// whole cluster, which under load turns parallel commits into a queue (five times fewer of them, measured with durable
/// commits). So it is sent only when the relay sleeps, which is when it can't have the shared lock; see [`Wake`].
const PUSH: &str = "
    with pushed as (
        insert into {schema}.outbox
            (event_id, organization_id, event_type, routing_key, key, payload, headers, occurred_at)
        select event_id, organization_id, event_type, routing_key, key, payload, headers, occurred_at
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::jsonb[],
                    $8::timestamptz[])
            with ordinality as
            e(event_id, organization_id, event_type, routing_key, key, payload, headers, occurred_at, position)
        order by position
    )
    select case when not pg_try_advisory_xact_lock_shared($9) then pg_notify($10, '') end";

/// A fact to be published.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// Its identity everywhere: the AMQP message id, the inbox key, the feed's event id.
    pub event_id: EventId,
    /// The tenant it belongs to; `None` for the platform's own. In a `TenantTx` it must be the transaction's.
    pub organization_id: Option<OrganizationId>,
    /// Full name of the protobuf message in `payload`.
    pub event_type: &'static str,
    /// `<service>.<aggregate>.<event>.v1`.
    pub routing_key: String,
    /// The aggregate. Events of one key are published in the order of `push`, provided the operation locked the
    /// aggregate first. Empty when order does not matter.
    pub key: String,
    /// The encoded message.
    pub payload: Vec<u8>,
    /// What travels beside it.
    pub headers: OutboxHeaders,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// Without the payload: it may hold what a customer wrote.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_id", &self.event_id)
            .field("organization_id", &self.organization_id)
            .field("event_type", &self.event_type)
            .field("key", &self.key)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// What travels beside an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxHeaders {
    /// W3C trace context of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Who caused it, as `Actor` displays itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// The aggregate's version after the change, for consumers that ignore what is older than they know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate_version: Option<i64>,
}

/// Writes events in the order given, in the transaction of the change. One statement, however many they are.
///
/// # Errors
/// When the database fails, or refuses an event of another tenant.
#[tracing::instrument(name = "db.outbox.insert", skip_all, fields(db.rows = events.len()))]
pub async fn push(tx: &mut impl AsTx, events: &[Event]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let (push, channels) = {
        let sql = &tx.db().sql().outbox;
        (sql.push.clone(), sql.channels.clone())
    };
    let column = |of: fn(&Event) -> Uuid| events.iter().map(of).collect::<Vec<_>>();
    let text = |of: fn(&Event) -> &str| events.iter().map(of).collect::<Vec<_>>();
    let organizations: Vec<Option<Uuid>> = events
        .iter()
        .map(|event| event.organization_id.map(OrganizationId::as_uuid))
        .collect();
    let payloads: Vec<&[u8]> = events
        .iter()
        .map(|event| event.payload.as_slice())
        .collect();
    let headers: Vec<Json<&OutboxHeaders>> =
        events.iter().map(|event| Json(&event.headers)).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.occurred_at).collect();
    push.query()
        .bind(column(|event| event.event_id.as_uuid()))
        .bind(organizations)
        .bind(text(|event| event.event_type))
        .bind(text(|event| &event.routing_key))
        .bind(text(|event| &event.key))
        .bind(payloads)
        .bind(headers)
        .bind(times)
        .bind(channels.asleep)
        .bind(channels.relay)
        .execute(tx.conn())
        .await?;
    Ok(())
}
