//! Deliveries that a consumer could not process: tried again on a ladder of delays, then kept as dead letters for a
//! person to look at.
//!
//! The broker's own redelivery is not used for this: it can't wait, loses the order, and drops what it has counted too
//! often together with the innocent messages fetched beside it. So a consumer records the failure here, in Postgres,
//! and acknowledges.

mod dead_letters;
mod ladder;

use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::later;
use ids::{DeliveryId, EventId, OrganizationId};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{AsTx, Body, DbError, Schema, SystemTx, statement::Statement};

pub use dead_letters::{DeadLetter, Decision, Filter, PageKey, discard, find, list, replay};
pub use ladder::{MAX_ATTEMPTS, delay};

#[derive(Debug)]
pub(crate) struct Sql {
    record: Statement,
    due: Statement,
    again: Statement,
    resolve: Statement,
    dead_letters: dead_letters::Sql,
}

impl Sql {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            record: Statement::new(schema, RECORD),
            due: Statement::new(schema, DUE),
            again: Statement::new(
                schema,
                "update {schema}.deferred_deliveries
                 set state = $3, due_at = $4, last_error = $5
                 where id = $1 and attempts = $2 and state = 'waiting'",
            ),
            resolve: Statement::new(schema, RESOLVE),
            dead_letters: dead_letters::Sql::new(schema),
        }
    }
}

/// The inbox lets an event come here once. It comes again when that memory is gone and the row, which waits for a person
/// or tells of a decision, is not. What a person has decided stays decided.
const RECORD: &str = "
    insert into {schema}.deferred_deliveries as d
        (id, consumer, event_id, organization_id, event_type, payload, headers, attempts, due_at, state, last_error,
         first_failed_at)
    select f.id, $1, f.event_id, f.organization_id, f.event_type, f.payload, f.headers, 1, $2, f.state, f.error, $2
    from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::jsonb[], $9::text[], $10::text[])
        f(id, event_id, organization_id, event_type, payload, headers, state, error)
    on conflict (consumer, event_id) do update
    set attempts = case d.state when 'replayed' then 1 else d.attempts + 1 end,
        due_at = case d.state when 'replayed' then excluded.due_at else d.due_at end,
        state = case when d.state in ('waiting', 'replayed') then excluded.state else d.state end,
        last_error = excluded.last_error";

/// Counted when it is handed out, so that an event that kills its consumer climbs the ladder too. At its end nobody is
/// left to say what went wrong.
const DUE: &str = "
    with due as (
        select id from {schema}.deferred_deliveries
        where consumer = $1 and state = 'waiting' and due_at <= $2
        order by due_at
        limit $3
        for update skip locked
    )
    update {schema}.deferred_deliveries d
    set state = case when attempts < $5 then state else 'dead' end,
        last_error = case when attempts < $5 then last_error else $6 end,
        attempts = least(attempts + 1, $5),
        due_at = $4
    from due
    where d.id = due.id
    returning d.id, d.consumer, d.event_id, d.organization_id, d.event_type, d.payload, d.headers, d.attempts,
              d.state = 'waiting' as waiting";
const EXHAUSTED: &str =
    "the last attempt never ended: its process was killed, or took longer than its lease";

/// A replayed dead letter stays, as the record of the decision.
const RESOLVE: &str = "
    with deleted as (
        delete from {schema}.deferred_deliveries
        where id = $1 and attempts = $2 and state = 'waiting' and decided_at is null
        returning 1
    ), kept as (
        update {schema}.deferred_deliveries set state = 'replayed'
        where id = $1 and attempts = $2 and state = 'waiting' and decided_at is not null
        returning 1
    )
    select exists (select 1 from deleted) or exists (select 1 from kept)";

/// A delivery that could not be processed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The event.
    pub event_id: EventId,
    /// The tenant, as the event states it.
    pub organization_id: Option<OrganizationId>,
    /// Full name of the protobuf message.
    pub event_type: String,
    /// The body as it came.
    pub payload: Body,
    /// What came beside it, as a JSON object.
    pub headers: Value,
    /// What went wrong: a chain of errors, without contents.
    pub error: String,
    /// Trying again can't help (it can't be decoded, say): dead at once.
    pub permanent: bool,
}

/// A deferred delivery that is handed to its consumer again.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Due {
    /// The row.
    pub id: DeliveryId,
    /// The consumer.
    pub consumer: String,
    /// The event.
    pub event_id: EventId,
    /// The tenant, as the event states it.
    pub organization_id: Option<OrganizationId>,
    /// Full name of the protobuf message.
    pub event_type: String,
    /// The body as it came.
    pub payload: Body,
    /// What came beside it.
    pub headers: Value,
    /// Times it was handed to the consumer, this one included.
    #[sqlx(rename = "attempts")]
    pub attempt: i32,
}

/// What becomes of a failed delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will be tried again at this time.
    RetryAt(DateTime<Utc>),
    /// It is a dead letter.
    Dead,
    /// Somebody else has it by now: what this attempt did must be rolled back.
    Taken,
}

/// What [`due`] found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claimed {
    /// To be tried again now.
    pub due: Vec<Due>,
    /// Those whose last attempt had no end: they are dead letters by now.
    pub exhausted: Vec<Due>,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    due: Due,
    waiting: bool,
}

/// Records first failures of deliveries from the broker; acknowledge them after the commit.
///
/// # Errors
/// When the database fails: then nothing may be acknowledged.
#[tracing::instrument(name = "db.deferred_deliveries.insert", skip_all, fields(consumer, db.rows = failures.len()))]
pub async fn record_failures(
    tx: &mut SystemTx,
    consumer: &str,
    failures: &[Failure],
) -> Result<(), DbError> {
    if failures.is_empty() {
        return Ok(());
    }
    let clock = tx.db().clock().clone();
    let record = tx.db().sql().deferred.record.clone();
    let ids: Vec<Uuid> = failures
        .iter()
        .map(|_| DeliveryId::generate_at(clock.unix_ms()).as_uuid())
        .collect();
    let organizations: Vec<Option<Uuid>> = failures
        .iter()
        .map(|failure| failure.organization_id.map(OrganizationId::as_uuid))
        .collect();
    let states = failures
        .iter()
        .map(|failure| if failure.permanent { "dead" } else { "waiting" });
    record
        .query()
        .bind(consumer)
        .bind(clock.now())
        .bind(ids)
        .bind(
            failures
                .iter()
                .map(|failure| failure.event_id.as_uuid())
                .collect::<Vec<_>>(),
        )
        .bind(organizations)
        .bind(
            failures
                .iter()
                .map(|failure| failure.event_type.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            failures
                .iter()
                .map(|failure| failure.payload.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(
            failures
                .iter()
                .map(|failure| &failure.headers)
                .collect::<Vec<_>>(),
        )
        .bind(states.collect::<Vec<_>>())
        .bind(
            failures
                .iter()
                .map(|failure| failure.error.as_str())
                .collect::<Vec<_>>(),
        )
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Hands out at most `limit` deliveries that are due, and keeps others from them for `lease`. Commit before processing.
/// One that has climbed the whole ladder without an answer is dead and only named.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(
    name = "db.deferred_deliveries.claim",
    level = "debug",
    skip_all,
    fields(consumer)
)]
pub async fn due(
    tx: &mut SystemTx,
    consumer: &str,
    limit: u32,
    lease: Duration,
) -> Result<Claimed, DbError> {
    let now = tx.db().clock().now();
    let due = tx.db().sql().deferred.due.clone();
    let rows: Vec<Row> = due
        .rows()
        .bind(consumer)
        .bind(now)
        .bind(i64::from(limit))
        .bind(later(now, lease))
        .bind(MAX_ATTEMPTS)
        .bind(EXHAUSTED)
        .fetch_all(tx.conn())
        .await?;
    let (due, exhausted): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.waiting);
    let deliveries = |rows: Vec<Row>| rows.into_iter().map(|row| row.due).collect();
    Ok(Claimed {
        due: deliveries(due),
        exhausted: deliveries(exhausted),
    })
}

/// The delivery failed again: it waits for the next step of the ladder, or is dead at its end or when `permanent`.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.deferred_deliveries.update", skip_all, fields(consumer = %due.consumer))]
pub async fn record_failure(
    tx: &mut SystemTx,
    due: &Due,
    error: &str,
    permanent: bool,
) -> Result<Fate, DbError> {
    let now = tx.db().clock().now();
    let again = tx.db().sql().deferred.again.clone();
    let wait = delay(due.attempt, due.event_id).filter(|_| !permanent);
    let (state, due_at) = match wait {
        Some(wait) => ("waiting", later(now, wait)),
        None => ("dead", now),
    };
    let updated = again
        .query()
        .bind(due.id.as_uuid())
        .bind(due.attempt)
        .bind(state)
        .bind(due_at)
        .bind(error)
        .execute(tx.conn())
        .await?
        .rows_affected();
    Ok(match (updated, wait) {
        (0, _) => Fate::Taken,
        (_, Some(_)) => Fate::RetryAt(due_at),
        (_, None) => Fate::Dead,
    })
}

/// The delivery was processed, or turned out to have been. False when somebody else has it by now: roll back.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.deferred_deliveries.resolve", skip_all, fields(consumer = %due.consumer))]
pub async fn resolve(tx: &mut SystemTx, due: &Due) -> Result<bool, DbError> {
    let resolve = tx.db().sql().deferred.resolve.clone();
    Ok(resolve
        .scalar()
        .bind(due.id.as_uuid())
        .bind(due.attempt)
        .fetch_one(tx.conn())
        .await?)
}
