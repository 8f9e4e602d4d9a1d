//! What a person does with dead letters: look, replay, discard. A replay hands the event to its consumer unchanged. Only
//! a dead letter can be replayed, so of two people who do it one finds nothing.

use chrono::{DateTime, Utc};
use ids::{DeliveryId, EventId, OrganizationId};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;

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
    replay: Statement,
    discard: Statement,
}

impl Sql {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            list: Statement::new(
                schema,
                matching!(
                    "select id, consumer, event_id, organization_id, event_type,
                            octet_length(payload) as payload_bytes, headers, attempts, last_error,
                            first_failed_at
                     from {schema}.deferred_deliveries
                     where state = 'dead' and",
                    " and ($7::timestamptz is null or (first_failed_at, id) > ($7, $8))
                     order by first_failed_at, id
                     limit $9"
                ),
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

/// An event that its consumer could not process, without its body: that may be large, and hold what a customer wrote.
#[derive(Debug, Clone, PartialEq, FromRow)]
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
    /// Length of the body.
    pub payload_bytes: i32,
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

/// Dead letters, the oldest first. Open `page` with the same filter.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut SystemTx,
    filter: &Filter,
    page: &Pager<PageKey>,
) -> Result<Page<DeadLetter>, DbError> {
    let letters = select(tx, filter, page.after(), page.limit()).await?;
    Ok(page.page(letters, |letter: &DeadLetter| {
        (letter.first_failed_at, letter.id)
    }))
}

/// One dead letter.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut SystemTx, id: DeliveryId) -> Result<Option<DeadLetter>, DbError> {
    let only = Filter {
        id: Some(id),
        ..Filter::default()
    };
    Ok(select(tx, &only, None, 1).await?.pop())
}

async fn select(
    tx: &mut SystemTx,
    filter: &Filter,
    after: Option<&PageKey>,
    limit: i64,
) -> Result<Vec<DeadLetter>, DbError> {
    let list = tx.db().sql().deferred.dead_letters.list.clone();
    Ok(list
        .rows()
        .bind(filter.id)
        .bind(filter.consumer.as_deref())
        .bind(filter.organization_id)
        .bind(filter.event_type.as_deref())
        .bind(filter.since)
        .bind(filter.until)
        .bind(after.map(|(at, _)| *at))
        .bind(after.map(|(_, id)| *id))
        .bind(limit)
        .fetch_all(tx.conn())
        .await?)
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
    let rows = statement
        .query()
        .bind(filter.id)
        .bind(filter.consumer.as_deref())
        .bind(filter.organization_id)
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
