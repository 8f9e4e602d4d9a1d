//! What the relay needs: unpublished rows, and marks on them. Only one relay per schema works at a time (see
//! [`Leader`](crate::leader::Leader)); the marks are right even if two do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ids::{EventId, OrganizationId};
use sqlx::FromRow;

use super::OutboxHeaders;
use crate::{AsTx, Body, DbError, Schema, SystemTx, statement::Statement};

#[derive(Debug)]
pub(super) struct Sql {
    unpublished: Statement,
    published: Statement,
    refused: Statement,
    backlog: Statement,
}

/// Counting stops here: beyond it, more is no news.
const COUNTED: i64 = 1_000_001;
/// A batch ends after the event that reaches this size: webhooks may have megabytes each, and a batch is in memory.
const BATCH_BYTES: i64 = 16 * 1024 * 1024;

/// A mark whose commit does not wait for the disk. A mark that a crash loses only publishes the event again, which the
/// consumers' inboxes absorb.
macro_rules! relaxed {
    ($update:literal) => {
        concat!(
            "with relaxed as materialized (select set_config('synchronous_commit', 'off', true)) ",
            $update
        )
    };
}

impl Sql {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            // By state, never by "seq above the last one": see the table. A refused row holds back its key only, and
            // until it is published, not just while it pauses: its followers in one batch with it would get past it if
            // it were refused once more. The sum reads lengths, not bodies, so what is cut off was never loaded. The
            // rows are about to become visible to the feed's readers as well, so they are told here, once per batch.
            unpublished: Statement::new(
                schema,
                "with next as (
                     select seq, event_id, organization_id, event_type, routing_key, key, payload, headers,
                            occurred_at, attempts
                     from {schema}.outbox o
                     where published_at is null
                       and (not_before is null or not_before <= $1)
                       and (o.key = '' or not exists (
                           select 1 from {schema}.outbox earlier
                           where earlier.published_at is null and earlier.not_before is not null
                             and earlier.key = o.key and earlier.seq < o.seq))
                     order by seq
                     limit $2
                 ), batch as (
                     select next.*,
                            sum(octet_length(payload)) over (order by seq) - octet_length(payload) as bytes_before
                     from next
                 ), told as (
                     select pg_notify($3, '') from batch limit 1
                 )
                 select batch.* from batch left join told on true where bytes_before < $4 order by seq",
            ),
            published: Statement::new(
                schema,
                relaxed!(
                    "update {schema}.outbox set published_at = $2, attempts = attempts + 1, last_error = null
                     from relaxed
                     where seq = any($1) and published_at is null"
                ),
            ),
            refused: Statement::new(
                schema,
                relaxed!(
                    "update {schema}.outbox o
                     set attempts = attempts + 1, last_error = r.error, not_before = r.not_before
                     from relaxed, unnest($1::bigint[], $2::text[], $3::timestamptz[]) r(seq, error, not_before)
                     where o.seq = r.seq and o.published_at is null"
                ),
            ),
            backlog: Statement::new(
                schema,
                "select (select count(*) from (
                             select 1 from {schema}.outbox where published_at is null limit $1) counted),
                        (select occurred_at from {schema}.outbox
                         where published_at is null order by seq limit 1)",
            ),
        }
    }
}

/// A row that waits to be published.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Unpublished {
    /// The row.
    pub seq: i64,
    /// The message id.
    pub event_id: EventId,
    /// The tenant, if it has one.
    pub organization_id: Option<OrganizationId>,
    /// Full name of the protobuf message.
    pub event_type: String,
    /// Where it goes.
    pub routing_key: String,
    /// The aggregate.
    pub key: String,
    /// The encoded message.
    pub payload: Body,
    /// What travels beside it.
    #[sqlx(json)]
    pub headers: OutboxHeaders,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Publishes that were tried before.
    pub attempts: i32,
}

/// The next rows to publish, in order: at most `limit`, and fewer if they are large. Commit (or drop) before publishing:
/// no transaction stays open meanwhile.
///
/// Commit also tells the readers of the feed that there is something new.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.outbox.select", level = "debug", skip_all)]
pub async fn unpublished(tx: &mut SystemTx, limit: u32) -> Result<Vec<Unpublished>, DbError> {
    let now = tx.db().clock().now();
    let (select, feed) = {
        let sql = &tx.db().sql().outbox;
        (sql.relay.unpublished.clone(), sql.channels.feed.clone())
    };
    Ok(select
        .rows()
        .bind(now)
        .bind(i64::from(limit))
        .bind(feed)
        .bind(BATCH_BYTES)
        .fetch_all(tx.conn())
        .await?)
}

/// Marks rows whose publish was confirmed and not returned. Answers how many were not marked before. The transaction is
/// not durable at once: write nothing else in it.
///
/// # Errors
/// When the database fails; the rows will be published again, which consumers' inboxes absorb.
#[tracing::instrument(name = "db.outbox.update", skip_all, fields(db.rows = seqs.len()))]
pub async fn mark_published(tx: &mut SystemTx, seqs: &[i64]) -> Result<u64, DbError> {
    let now = tx.db().clock().now();
    let mark = tx.db().sql().outbox.relay.published.clone();
    let marked = mark.query().bind(seqs).bind(now).execute(tx.conn()).await?;
    Ok(marked.rows_affected())
}

/// A publish that the broker refused or returned.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The row.
    pub seq: i64,
    /// The broker's words, without the message.
    pub error: String,
    /// How long until the row is tried again.
    pub retry_after: Duration,
}

/// Marks refused rows. Each holds back what follows under its key until it is published, however long that takes: the
/// order within a key is a promise, and a row that can never be sent is a bug that somebody has to look at (its age
/// raises the alarm). Rows that are not marked are simply unpublished. As with [`mark_published`], write nothing else in
/// the transaction.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.outbox.refuse", skip_all, fields(db.rows = refusals.len()))]
pub async fn mark_refused(tx: &mut SystemTx, refusals: &[Refusal]) -> Result<(), DbError> {
    let now = tx.db().clock().now();
    let mark = tx.db().sql().outbox.relay.refused.clone();
    let later = |refusal: &Refusal| clock::later(now, refusal.retry_after);
    mark.query()
        .bind(
            refusals
                .iter()
                .map(|refusal| refusal.seq)
                .collect::<Vec<_>>(),
        )
        .bind(
            refusals
                .iter()
                .map(|refusal| refusal.error.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(refusals.iter().map(later).collect::<Vec<_>>())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// What waits to be published. Alert on the age: a count says nothing without the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Unpublished rows; counting stops just above a million.
    pub count: u64,
    /// When the oldest of them happened.
    pub oldest_at: Option<DateTime<Utc>>,
}

/// Measures the backlog.
///
/// # Errors
/// When the database fails.
pub async fn backlog(tx: &mut SystemTx) -> Result<Backlog, DbError> {
    let backlog = tx.db().sql().outbox.relay.backlog.clone();
    let (count, oldest_at): (i64, Option<DateTime<Utc>>) =
        backlog.rows().bind(COUNTED).fetch_one(tx.conn()).await?;
    Ok(Backlog {
        count: count.unsigned_abs(),
        oldest_at,
    })
}
