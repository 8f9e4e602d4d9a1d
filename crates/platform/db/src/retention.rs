//! Old rows of the platform's tables go, batch by batch.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{AsTx, Db, DbError, Schema, SystemTx, statement::Statement};

const DAY: Duration = Duration::from_hours(24);
/// From the end of one pass to the beginning of the next: small sweeps leave little behind for the vacuum.
const PERIOD: Duration = Duration::from_hours(1);
/// Of one table in one pass, so that a backlog of one does not keep the others waiting for ever.
const TABLE_TIMEOUT: Duration = Duration::from_mins(10);
/// Rows deleted in one transaction. Events carry whole bodies.
const BATCH: u32 = 1_000;

/// How long a service keeps events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its own, after they were published.
    pub published: Duration,
    /// The memory of those it consumed.
    pub consumed: Duration,
}

/// For a service that consumes nothing that is kept longer than its own events.
impl From<Duration> for Kept {
    fn from(published: Duration) -> Self {
        Self {
            published,
            consumed: published,
        }
    }
}

/// A table that is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Published events. Unpublished ones stay, however old.
    Outbox,
    /// Memory of consumed events. It must be longer than an event can come again. The broker and the ladder of
    /// deferred deliveries do that for hours, the outbox of a producer that was restored from a backup for as long as
    /// it keeps events: see [`Kept`].
    Inbox,
    /// Answers past their `expires_at`.
    IdempotencyKeys,
    /// Jobs that are done or failed.
    Jobs,
    /// Deferred deliveries that were replayed or discarded. Dead ones wait for a person.
    DeferredDeliveries,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Outbox,
        Self::Inbox,
        Self::IdempotencyKeys,
        Self::Jobs,
        Self::DeferredDeliveries,
    ];

    /// How long its rows are kept: after publishing, receiving, expiry, the end, the decision. For the outbox it is the
    /// least; a service keeps it as long as its events promise.
    pub const fn kept(self) -> Duration {
        match self {
            Self::Outbox | Self::Jobs => DAY.saturating_mul(7),
            Self::Inbox => DAY.saturating_mul(14),
            Self::IdempotencyKeys => Duration::ZERO,
            Self::DeferredDeliveries => DAY.saturating_mul(30),
        }
    }

    /// Its name, without the schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Inbox => "inbox",
            Self::IdempotencyKeys => "idempotency_keys",
            Self::Jobs => "jobs",
            Self::DeferredDeliveries => "deferred_deliveries",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Sql {
    outbox: Statement,
    inbox: Statement,
    idempotency_keys: Statement,
    jobs: Statement,
    deferred_deliveries: Statement,
}

/// A batch of one table: rows that match a condition on `$1`, at most `$2`.
macro_rules! batch {
    ($table:literal, $condition:literal) => {
        concat!(
            "with gone as (delete from {schema}.",
            $table,
            " where ctid = any(array(select ctid from {schema}.",
            $table,
            " where ",
            $condition,
            " limit $2)) returning 1) select count(*) from gone"
        )
    };
}

impl Sql {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            // The oldest published rows have the lowest numbers, so only the head of them is looked at. Unpublished
            // rows don't count: a thousand that are stuck would be all of the head, for ever. Cursors behind the floor
            // have lost events, and are told.
            outbox: Statement::new(
                schema,
                "with gone as (
                     delete from {schema}.outbox where seq = any(array(
                         select seq from (
                             select seq, published_at from {schema}.outbox
                             where published_at is not null order by seq limit $2) head
                         where published_at < $1))
                     returning commit_xid
                 ), floor as (
                     update {schema}.outbox_floor
                     set commit_xid = greatest(commit_xid, (select max(commit_xid) from gone))
                     where exists (select 1 from gone)
                 )
                 select count(*) from gone",
            ),
            inbox: Statement::new(schema, batch!("inbox", "received_at < $1")),
            idempotency_keys: Statement::new(schema, batch!("idempotency_keys", "expires_at < $1")),
            jobs: Statement::new(schema, batch!("jobs", "finished_at < $1")),
            deferred_deliveries: Statement::new(
                schema,
                batch!(
                    "deferred_deliveries",
                    "state in ('replayed', 'discarded') and decided_at < $1"
                ),
            ),
        }
    }

    fn of(&self, table: Table) -> Statement {
        match table {
            Table::Outbox => &self.outbox,
            Table::Inbox => &self.inbox,
            Table::IdempotencyKeys => &self.idempotency_keys,
            Table::Jobs => &self.jobs,
            Table::DeferredDeliveries => &self.deferred_deliveries,
        }
        .clone()
    }
}

/// Sweeps every table now and every hour until `stop`: the task `retention` of each service. Published events are kept
/// and consumed ones remembered for what `kept` says, the latter never shorter than [`Table::kept`], which is how long
/// everything else is kept. Replicas may sweep at the same time.
///
/// A table that fails is logged and tried again in the next pass.
pub async fn run(db: Db, kept: impl Into<Kept>, stop: CancellationToken) {
    let events = kept.into();
    while !stop.is_cancelled() {
        for table in Table::ALL {
            let kept = match table {
                Table::Outbox => events.published,
                Table::Inbox => Table::Inbox.kept().max(events.consumed),
                other => other.kept(),
            };
            sweep_and_tell(&db, table, kept, &stop).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = db.clock().sleep(PERIOD) => {}
        }
    }
}

async fn sweep_and_tell(db: &Db, table: Table, kept: Duration, stop: &CancellationToken) {
    let name = table.name();
    let sweeping = sweep(db, table, kept, BATCH, stop);
    match tokio::time::timeout(TABLE_TIMEOUT, sweeping).await {
        Ok(Ok(0)) => {}
        Ok(Ok(rows)) => tracing::info!(db.table = name, db.rows = rows, "deleted old rows"),
        Ok(Err(error)) => tracing::warn!(
            db.table = name,
            error = errors::chain(&error),
            "can't delete all old rows; the next try is in an hour"
        ),
        Err(_) => tracing::warn!(
            db.table = name,
            "too many old rows for one pass; the next one goes on"
        ),
    }
}

/// Deletes what is older than `kept`, `batch` rows per transaction, until nothing is left or `cancelled`. Answers how
/// many rows went.
///
/// # Errors
/// When the database fails; the batches before stay deleted.
#[tracing::instrument(name = "db.retention.delete", skip_all, fields(db.table = table.name()))]
pub async fn sweep(
    db: &Db,
    table: Table,
    kept: Duration,
    batch: u32,
    cancelled: &CancellationToken,
) -> Result<u64, DbError> {
    let before = clock::earlier(db.clock().now(), kept);
    let mut swept = 0;
    while !cancelled.is_cancelled() {
        let mut tx = SystemTx::begin(db, "retention").await?;
        let statement = tx.db().sql().retention.of(table);
        let gone: i64 = statement
            .scalar()
            .bind(before)
            .bind(i64::from(batch))
            .fetch_one(tx.conn())
            .await?;
        tx.commit().await?;
        swept += gone.unsigned_abs();
        if gone == 0 {
            break;
        }
    }
    Ok(swept)
}
