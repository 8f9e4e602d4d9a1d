//! What a person does with dead letters: look, replay, discard. A replay hands the event to its consumer unchanged; the
//! inbox makes a second replay harmless.

use chrono::{DateTime, Utc};
use ids::{DeliveryId, EventId, OrganizationId};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, Postgres, postgres::PgArguments};
use uuid::Uuid;

use crate::{
    AsTx, DbError, Schema, SystemTx,
    page::{Page, Pager},
    statement::Statement,
};

/// Each filter is optional; `$1` to `$6` in this order.
macro_rules! matching {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " ($1::uuid is null or id = $1)
              and ($2::text is null or consumer = $2)
              and ($3::uuid is null or organization_id = $3)
              and ($4::text is null or event_type = $4)
              and ($5::timestamptz is null or first_failed_at >= $5)
              and ($6::timestamptz is null or first_failed_at < $6)",
            $after
        )
    };
}

#[derive(Debug)]
pub(super) struct Sql {
    list: Statement,
    find: Statement,
    replay: Statement,
    discard: Statement,
}

impl Sql {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            list: Statement::new(
                schema,
                matching!(
                    "select id, consumer, event_id, organization_id, event_type, payload, headers, attempts, last_error,
                            first_failed_at
                     from {schema}.deferred_deliveries
                     where state = 'dead' and",
                    " and ($7::timestamptz is null or (first_failed_at, id) > ($7, $8))
                     order by first_failed_at, id
                     limit $9"
                ),
            ),
            find: Statement::new(
                schema,
                "select id, consumer, event_id, organization_id, event_type, payload, headers, attempts, last_error,
                        first_failed_at
                 from {schema}.deferred_deliveries
                 where id = $1 and state = 'dead'",
            ),
            replay: Statement::new(
                schema,
                matching!(
                    "update {schema}.deferred_deliveries
                     set state = 'waiting', attempts = 0, due_at = $9, decided_by = $7, decided_reason = $8,
                         decided_at = $9
                     where state = 'dead' and",
                    ""
                ),
            ),
            discard: Statement::new(
                schema,
                matching!(
                    "update {schema}.deferred_deliveries
                     set state = 'discarded', decided_by = $7, decided_reason = $8, decided_at = $9
                     where state = 'dead' and",
                    ""
                ),
            ),
        }
    }
}

/// Which dead letters. Everything that is set must match; the default is all of them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Filter {
    /// This one.
    pub id: Option<DeliveryId>,
    /// Of this consumer.
    pub consumer: Option<String>,
    /// Of this tenant.
    pub organization_id: Option<OrganizationId>,
    /// Of this type.
    pub event_type: Option<String>,
    /// First failed at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// First failed before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Who decides about dead letters, and why; kept with them.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The person or program.
    pub by: String,
    /// The reason.
    pub reason: String,
}

/// An event that its consumer could not process.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
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
    pub payload: Vec<u8>,
    /// What came beside it, the trace context among it.
    pub headers: Value,
    /// Times it was handed to the consumer.
    pub attempts: i32,
    /// What went wrong the last time.
    pub last_error: String,
    /// When it went wrong the first time.
    pub first_failed_at: DateTime<Utc>,
}

/// The sort key of [`list`].
pub type PageKey = (DateTime<Utc>, DeliveryId);

#[derive(FromRow)]
struct Row {
    id: Uuid,
    consumer: String,
    event_id: Uuid,
    organization_id: Option<Uuid>,
    event_type: String,
    payload: Vec<u8>,
    headers: Value,
    attempts: i32,
    last_error: String,
    first_failed_at: DateTime<Utc>,
}

impl From<Row> for DeadLetter {
    fn from(row: Row) -> Self {
        Self {
            id: DeliveryId::from_uuid(row.id),
            consumer: row.consumer,
            event_id: EventId::from_uuid(row.event_id),
            organization_id: row.organization_id.map(OrganizationId::from_uuid),
            event_type: row.event_type,
            payload: row.payload,
            headers: row.headers,
            attempts: row.attempts,
            last_error: row.last_error,
            first_failed_at: row.first_failed_at,
        }
    }
}

/// Dead letters, the oldest first. Open `page` with the same filter.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut SystemTx,
    filter: &Filter,
    page: &Pager<PageKey>,
) -> Result<Page<DeadLetter>, DbError> {
    let list = tx.db().sql().deferred.dead_letters.list.clone();
    let rows: Vec<Row> = {
        let query = list.rows();
        query
            .bind(filter.id.map(DeliveryId::as_uuid))
            .bind(filter.consumer.as_deref())
            .bind(filter.organization_id.map(OrganizationId::as_uuid))
            .bind(filter.event_type.as_deref())
            .bind(filter.since)
            .bind(filter.until)
            .bind(page.after().map(|(at, _)| *at))
            .bind(page.after().map(|(_, id)| id.as_uuid()))
            .bind(page.limit())
            .fetch_all(tx.conn())
            .await?
    };
    let letters = rows.into_iter().map(DeadLetter::from).collect();
    Ok(page.page(letters, |letter: &DeadLetter| {
        (letter.first_failed_at, letter.id)
    }))
}

/// One dead letter.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut SystemTx, id: DeliveryId) -> Result<Option<DeadLetter>, DbError> {
    let find = tx.db().sql().deferred.dead_letters.find.clone();
    let row: Option<Row> = find
        .rows()
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(DeadLetter::from))
}

/// Sends the matching dead letters up the ladder again, from its beginning. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn replay(
    tx: &mut SystemTx,
    filter: &Filter,
    decision: &Decision,
) -> Result<u64, DbError> {
    let replay = tx.db().sql().deferred.dead_letters.replay.clone();
    decide(tx, &replay, filter, decision, "replayed").await
}

/// Puts the matching dead letters aside for good. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn discard(
    tx: &mut SystemTx,
    filter: &Filter,
    decision: &Decision,
) -> Result<u64, DbError> {
    let discard = tx.db().sql().deferred.dead_letters.discard.clone();
    decide(tx, &discard, filter, decision, "discarded").await
}

async fn decide(
    tx: &mut SystemTx,
    statement: &Statement,
    filter: &Filter,
    decision: &Decision,
    verb: &'static str,
) -> Result<u64, DbError> {
    let now = tx.db().clock().now();
    let query: sqlx::query::Query<'_, Postgres, PgArguments> = statement.query();
    let rows = query
        .bind(filter.id.map(DeliveryId::as_uuid))
        .bind(filter.consumer.as_deref())
        .bind(filter.organization_id.map(OrganizationId::as_uuid))
        .bind(filter.event_type.as_deref())
        .bind(filter.since)
        .bind(filter.until)
        .bind(&decision.by)
        .bind(&decision.reason)
        .bind(now)
        .execute(tx.conn())
        .await?
        .rows_affected();
    tracing::info!(db.rows = rows, decided.by = %decision.by, "{rows} dead letters {verb}");
    Ok(rows)
}
