//! Taking jobs and giving them back.

use std::{borrow::Cow, time::Duration};

use chrono::{DateTime, Utc};
use errors::{Classify, Code, codes};
use ids::{JobId, OrganizationId};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{AsTx, DbError, Schema, SystemTx, statement::Statement};

#[derive(Debug)]
pub(super) struct Sql {
    claim: Statement,
    claim_fairly: Statement,
    finish: Statement,
    fail: Statement,
    retry: Statement,
    extend: Statement,
}

impl Sql {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            claim: Statement::new(schema, &[DUE, TAKE].concat()),
            claim_fairly: Statement::new(schema, &[DUE_FAIRLY, TAKE].concat()),
            finish: Statement::new(
                schema,
                "update {schema}.jobs
                 set state = 'done', finished_at = $4, leased_by = null, lease_until = null, last_error = null
                 where id = $1 and state = 'running' and leased_by = $2 and attempts = $3",
            ),
            fail: Statement::new(
                schema,
                "update {schema}.jobs
                 set state = 'failed', finished_at = $4, leased_by = null, lease_until = null, last_error = $5
                 where id = $1 and state = 'running' and leased_by = $2 and attempts = $3",
            ),
            retry: Statement::new(schema, RETRY),
            extend: Statement::new(
                schema,
                "update {schema}.jobs set lease_until = clock_timestamp() + make_interval(secs => $4)
                 where id = $1 and state = 'running' and leased_by = $2 and attempts = $3",
            ),
        }
    }
}

/// A running job whose lease ran out is claimed like a due one.
const DUE: &str = "
    with due as (
        select id from {schema}.jobs j
        where kind = $1
          and claimable_at <= greatest($2, now())
          and claimable_at <= case state when 'running' then now() else $2 end
          and (state = 'running' or unique_key is null or not exists (
                  select 1 from {schema}.jobs r
                  where r.state = 'running' and r.kind = j.kind and r.unique_key = j.unique_key
                    and r.organization_id is not distinct from j.organization_id))
        order by claimable_at
        limit $3
        for update skip locked
    )";

/// The same by turns: every tenant's first job, then every tenant's second, counting what each has with this worker
/// already, and no tenant's more than `$6`. Tenants are found one by one along an index, however many jobs one has.
const DUE_FAIRLY: &str = "
    with recursive tenants as (
        (select organization_id as id from {schema}.jobs
         where kind = $1 and organization_id is not null and claimable_at <= greatest($2, now())
         order by organization_id limit 1)
        union all
        select (select organization_id from {schema}.jobs
                where kind = $1 and organization_id > tenants.id and claimable_at <= greatest($2, now())
                order by organization_id limit 1)
        from tenants where tenants.id is not null
    ), busy as (
        select organization_id as id, count(*) as jobs from {schema}.jobs
        where kind = $1 and state = 'running' and leased_by = $4 and lease_until > now()
        group by organization_id
    ), turns as (
        select job.id, coalesce(busy.jobs, 0) + job.turn as turn
        from tenants left join busy on busy.id = tenants.id
        cross join lateral (
            select first.id, row_number() over (order by first.claimable_at, first.id) as turn
            from (
                select id, claimable_at from {schema}.jobs j
                where kind = $1 and organization_id = tenants.id
                  and claimable_at <= greatest($2, now())
                  and claimable_at <= case state when 'running' then now() else $2 end
                  and (state = 'running' or unique_key is null or not exists (
                          select 1 from {schema}.jobs r
                          where r.state = 'running' and r.kind = j.kind and r.unique_key = j.unique_key
                            and r.organization_id is not distinct from j.organization_id))
                order by claimable_at
                limit least($3, $6)
            ) first
        ) job
        where coalesce(busy.jobs, 0) + job.turn <= $6
    ), due as (
        select j.id from {schema}.jobs j join turns on turns.id = j.id
        where j.claimable_at <= case j.state when 'running' then now() else $2 end
        order by turns.turn, j.claimable_at
        limit $3
        for update of j skip locked
    )";

/// One that has used up its attempts is not handed out but failed: it has killed or outlived that many workers.
const TAKE: &str = "
    update {schema}.jobs j
    set state = case when attempts < max_attempts then 'running' else 'failed' end,
        leased_by = case when attempts < max_attempts then $4 end,
        lease_until = case when attempts < max_attempts then clock_timestamp() + make_interval(secs => $5) end,
        finished_at = case when attempts < max_attempts then null else $2 end,
        last_error = case when attempts < max_attempts then last_error
                          else coalesce(last_error, 'no worker finished it before its lease ran out') end,
        attempts = least(attempts + 1, max_attempts)
    from due
    where j.id = due.id
    returning j.id, j.kind, j.organization_id, j.payload, j.attempts, j.due_at, j.state = 'running' as leased";

/// Out and in again, because meanwhile an equal job may have begun to wait: then this one is not needed any more.
const RETRY: &str = "
    with mine as (
        delete from {schema}.jobs
        where id = $1 and state = 'running' and leased_by = $2 and attempts = $3
        returning *
    ), again as (
        insert into {schema}.jobs
            (id, kind, organization_id, payload, unique_key, due_at, state, attempts, max_attempts, last_error,
             created_at, finished_at)
        select id, kind, organization_id, payload, unique_key, $5,
               case when attempts < max_attempts then 'waiting' else 'failed' end,
               attempts, max_attempts, $6, created_at,
               case when attempts < max_attempts then null::timestamptz else $4 end
        from mine
        on conflict (organization_id, kind, unique_key)
            where state = 'waiting' and unique_key is not null
            do nothing
        returning state
    )
    select (select count(*) from mine) as mine, (select state from again) as state";

/// A job and the right to do it until the lease ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Leased {
    /// The job; also a good idempotency key towards a provider.
    pub id: JobId,
    /// Which worker does it.
    pub kind: String,
    /// The tenant it is done for.
    pub organization_id: Option<OrganizationId>,
    /// What the worker needs to know.
    pub payload: Value,
    /// This lease's number, from 1.
    pub attempt: i32,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    worker: String,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    organization_id: Option<Uuid>,
    payload: Value,
    attempts: i32,
    due_at: DateTime<Utc>,
    leased: bool,
}

/// What became of a job that is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It waits.
    Waiting,
    /// An equal job waits already, which will do.
    Superseded,
    /// Its attempts are used up.
    Failed,
}

/// Why a job can't be ended.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The lease ran out and somebody else has the job: roll back.
    #[error("the lease of job {id} is lost")]
    LeaseLost {
        /// The job.
        id: JobId,
    },
    /// The database failed.
    #[error("end the job")]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl Classify for JobError {
    fn code(&self) -> &'static Code {
        match self {
            Self::LeaseLost { .. } => &codes::CONFLICT,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.code().title)
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::LeaseLost { .. } => None,
            Self::Db(error) => error.retry_after(),
        }
    }
}

/// Leases at most `limit` due jobs of a kind for `lease`. `worker` is a name for people who look at the table. Rows that
/// another worker is claiming at this moment are passed over.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.jobs.claim", level = "debug", skip_all, fields(job.kind = kind))]
pub async fn claim(
    tx: &mut SystemTx,
    kind: &str,
    limit: u32,
    lease: Duration,
    worker: &str,
) -> Result<Vec<Leased>, DbError> {
    let now = tx.db().clock().now();
    let claim = tx.db().sql().jobs.lease.claim.clone();
    let rows: Vec<Row> = claim
        .rows()
        .bind(kind)
        .bind(now)
        .bind(i64::from(limit))
        .bind(worker)
        .bind(lease.as_secs_f64())
        .fetch_all(tx.conn())
        .await?;
    Ok(handed_out(rows, worker))
}

/// The same, by turns among tenants: one with thousands of due jobs delays nobody else's. No tenant has more than
/// `each` with this `worker` at a time, which is a name of its own therefore. Jobs of no tenant are not among them.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.jobs.claim_fairly", level = "debug", skip_all, fields(job.kind = kind))]
pub async fn claim_fairly(
    tx: &mut SystemTx,
    kind: &str,
    limit: u32,
    each: u32,
    lease: Duration,
    worker: &str,
) -> Result<Vec<Leased>, DbError> {
    let now = tx.db().clock().now();
    let claim = tx.db().sql().jobs.lease.claim_fairly.clone();
    let rows: Vec<Row> = claim
        .rows()
        .bind(kind)
        .bind(now)
        .bind(i64::from(limit))
        .bind(worker)
        .bind(lease.as_secs_f64())
        .bind(i64::from(each))
        .fetch_all(tx.conn())
        .await?;
    Ok(handed_out(rows, worker))
}

fn handed_out(rows: Vec<Row>, worker: &str) -> Vec<Leased> {
    let (leased, exhausted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.leased);
    for row in exhausted {
        let id = JobId::from_uuid(row.id);
        tracing::error!(job.id = %id, job.kind = %row.kind, "job {id} has used up its attempts");
    }
    leased
        .into_iter()
        .map(|row| Leased {
            id: JobId::from_uuid(row.id),
            kind: row.kind,
            organization_id: row.organization_id.map(OrganizationId::from_uuid),
            payload: row.payload,
            attempt: row.attempts,
            due_at: row.due_at,
            worker: worker.to_owned(),
        })
        .collect()
}

/// The job is done.
///
/// # Errors
/// [`JobError::LeaseLost`] when it is somebody else's.
#[tracing::instrument(name = "db.jobs.finish", skip_all, fields(job.id = %job.id, job.kind = %job.kind))]
pub async fn finish(tx: &mut impl AsTx, job: &Leased) -> Result<(), JobError> {
    let now = tx.db().clock().now();
    let finish = tx.db().sql().jobs.lease.finish.clone();
    let updated = guarded(&finish, job).bind(now).execute(tx.conn()).await?;
    held(job, updated.rows_affected())
}

/// The job can't be done, and trying again would not help.
///
/// # Errors
/// [`JobError::LeaseLost`] when it is somebody else's.
#[tracing::instrument(name = "db.jobs.fail", skip_all, fields(job.id = %job.id, job.kind = %job.kind))]
pub async fn fail(tx: &mut impl AsTx, job: &Leased, error: &str) -> Result<(), JobError> {
    let now = tx.db().clock().now();
    let fail = tx.db().sql().jobs.lease.fail.clone();
    let updated = guarded(&fail, job)
        .bind(now)
        .bind(error)
        .execute(tx.conn())
        .await?;
    held(job, updated.rows_affected())
}

/// The job is to be tried again after a while, if it has attempts left.
///
/// # Errors
/// [`JobError::LeaseLost`] when it is somebody else's.
#[tracing::instrument(name = "db.jobs.retry", skip_all, fields(job.id = %job.id, job.kind = %job.kind))]
pub async fn retry(
    tx: &mut impl AsTx,
    job: &Leased,
    after: Duration,
    error: &str,
) -> Result<Retried, JobError> {
    let now = tx.db().clock().now();
    let due_at = clock::later(now, after);
    let retry = tx.db().sql().jobs.lease.retry.clone();
    let (mine, state): (i64, Option<String>) = retry
        .rows()
        .bind(job.id.as_uuid())
        .bind(&job.worker)
        .bind(job.attempt)
        .bind(now)
        .bind(due_at)
        .bind(error)
        .fetch_one(tx.conn())
        .await?;
    held(job, mine.unsigned_abs())?;
    Ok(match state.as_deref() {
        None => Retried::Superseded,
        Some("failed") => {
            tracing::error!(job.id = %job.id, job.kind = %job.kind, "job {} has used up its attempts", job.id);
            Retried::Failed
        }
        Some(_) => Retried::Waiting,
    })
}

/// The job needs more time: the lease ends after `lease` from now.
///
/// # Errors
/// [`JobError::LeaseLost`] when it is somebody else's.
pub async fn extend(tx: &mut impl AsTx, job: &Leased, lease: Duration) -> Result<(), JobError> {
    let extend = tx.db().sql().jobs.lease.extend.clone();
    let updated = guarded(&extend, job)
        .bind(lease.as_secs_f64())
        .execute(tx.conn())
        .await?;
    held(job, updated.rows_affected())
}

fn guarded<'q>(
    statement: &Statement,
    job: &'q Leased,
) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    statement
        .query()
        .bind(job.id.as_uuid())
        .bind(&job.worker)
        .bind(job.attempt)
}

fn held(job: &Leased, rows: u64) -> Result<(), JobError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(JobError::LeaseLost { id: job.id })
    }
}
