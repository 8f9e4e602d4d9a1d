//! Deferred work, leased.
//!
//! Take rows with [`claim`], commit, do the work outside any transaction, and end it with [`finish`], [`retry`] or
//! [`fail`] in the transaction of its effects. A worker that was too slow finds that the lease is somebody else's, and
//! its transaction must roll back.
//!
//! Due times are the service's clock, which tests move. Leases are the database's clock: replicas whose clocks differ
//! must agree on when a lease ends.

mod lease;

use chrono::{DateTime, Utc};
use ids::{JobId, OrganizationId};
use serde_json::Value;
use uuid::Uuid;

use crate::{AsTx, DbError, Schema, statement::Statement};

pub use lease::{JobError, Leased, Retried, claim, claim_fairly, extend, fail, finish, retry};

/// Leases a job gets unless it says otherwise.
pub const MAX_ATTEMPTS: u16 = 20;

#[derive(Debug)]
pub(crate) struct Sql {
    push: Statement,
    cancel: Statement,
    next_due: Statement,
    hurry: Statement,
    lease: lease::Sql,
}

impl Sql {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            push: Statement::new(
                schema,
                "insert into {schema}.jobs
                     (id, kind, organization_id, payload, unique_key, due_at, max_attempts, created_at)
                 select j.*, $8
                 from unnest($1::uuid[], $2::text[], $3::uuid[], $4::jsonb[], $5::text[], $6::timestamptz[],
                             $7::int[]) j
                 on conflict (organization_id, kind, unique_key)
                     where state = 'waiting' and unique_key is not null
                     do nothing
                 returning id",
            ),
            cancel: Statement::new(
                schema,
                "delete from {schema}.jobs
                 where state = 'waiting' and kind = $1 and unique_key = $2
                   and organization_id is not distinct from $3",
            ),
            next_due: Statement::new(
                schema,
                "select claimable_at from {schema}.jobs
                 where kind = $1 and claimable_at is not null and state = 'waiting'
                 order by claimable_at limit 1",
            ),
            hurry: Statement::new(
                schema,
                "update {schema}.jobs set due_at = $4
                 where state = 'waiting' and kind = $2 and organization_id = $1 and payload @> $3 and due_at > $4",
            ),
            lease: lease::Sql::new(schema),
        }
    }
}

/// A piece of work to be done later.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Which worker does it.
    pub kind: &'static str,
    /// The tenant it is done for; in a `TenantTx` it must be the transaction's.
    pub organization_id: Option<OrganizationId>,
    /// What the worker needs to know: ids rather than contents.
    pub payload: Value,
    /// Not before this time.
    pub due_at: DateTime<Utc>,
    /// While a job of this kind, tenant and key waits, another is not added; while one runs, another waits.
    pub unique_key: Option<String>,
    /// Leases it may use up before it counts as failed.
    pub max_attempts: u16,
}

impl Job {
    /// A job without a unique key and with [`MAX_ATTEMPTS`].
    pub const fn new(
        kind: &'static str,
        organization_id: Option<OrganizationId>,
        payload: Value,
        due_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind,
            organization_id,
            payload,
            due_at,
            unique_key: None,
            max_attempts: MAX_ATTEMPTS,
        }
    }

    /// The same with a unique key.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }
}

/// Adds jobs in one statement. Answers the ids of those that were added; an equal waiting one takes the place of the
/// others.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.jobs.insert", skip_all, fields(db.rows = jobs.len()))]
pub async fn push(tx: &mut impl AsTx, jobs: &[Job]) -> Result<Vec<JobId>, DbError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let clock = tx.db().clock().clone();
    let push = tx.db().sql().jobs.push.clone();
    let ids: Vec<Uuid> = jobs
        .iter()
        .map(|_| JobId::generate_at(clock.unix_ms()).as_uuid())
        .collect();
    let organizations: Vec<Option<Uuid>> = jobs
        .iter()
        .map(|job| job.organization_id.map(OrganizationId::as_uuid))
        .collect();
    let added: Vec<Uuid> = push
        .scalar()
        .bind(ids)
        .bind(jobs.iter().map(|job| job.kind).collect::<Vec<_>>())
        .bind(organizations)
        .bind(jobs.iter().map(|job| &job.payload).collect::<Vec<_>>())
        .bind(
            jobs.iter()
                .map(|job| job.unique_key.as_deref())
                .collect::<Vec<_>>(),
        )
        .bind(jobs.iter().map(|job| job.due_at).collect::<Vec<_>>())
        .bind(
            jobs.iter()
                .map(|job| i32::from(job.max_attempts))
                .collect::<Vec<_>>(),
        )
        .bind(clock.now())
        .fetch_all(tx.conn())
        .await?;
    Ok(added.into_iter().map(JobId::from_uuid).collect())
}

/// Takes back a waiting job by its unique key. A running one goes on; answers whether one was waiting.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.jobs.delete", skip_all, fields(job.kind = kind))]
pub async fn cancel(
    tx: &mut impl AsTx,
    organization_id: Option<OrganizationId>,
    kind: &str,
    unique_key: &str,
) -> Result<bool, DbError> {
    let cancel = tx.db().sql().jobs.cancel.clone();
    let deleted = cancel
        .query()
        .bind(kind)
        .bind(unique_key)
        .bind(organization_id.map(OrganizationId::as_uuid))
        .execute(tx.conn())
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// When the next waiting job of a kind is due: a worker without work sleeps until then, or until it is told of more.
///
/// # Errors
/// When the database fails.
pub async fn next_due(tx: &mut impl AsTx, kind: &str) -> Result<Option<DateTime<Utc>>, DbError> {
    let next = tx.db().sql().jobs.next_due.clone();
    Ok(next.scalar().bind(kind).fetch_optional(tx.conn()).await?)
}

/// A tenant's waiting jobs of a kind whose payload has all of `matching` are due now: what they waited for has come. How
/// many.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.jobs.hurry", skip_all, fields(job.kind = kind))]
pub async fn hurry(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    kind: &str,
    matching: &Value,
) -> Result<u64, DbError> {
    let now = tx.db().clock().now();
    let hurry = tx.db().sql().jobs.hurry.clone();
    let updated = hurry
        .query()
        .bind(organization_id.as_uuid())
        .bind(kind)
        .bind(matching)
        .bind(now)
        .execute(tx.conn())
        .await?;
    Ok(updated.rows_affected())
}
