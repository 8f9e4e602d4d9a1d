//! What to do when WhatsApp's answer was lost: the message may be on its way, and there is no way
//! to ask. A status with our mark settles it at any time; this job decides when to stop waiting.
//!
//! By then the message is `unconfirmed`: never sent again by itself, shown to people, and its
//! conversation goes on.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    Db, SystemTx,
    jobs::{self, Job, Leased},
    outbox,
};
use ids::AttemptId;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::every;
use crate::{
    domain::status::Status,
    error::Error,
    events::publish,
    store::{
        results::{self, Unknown},
        routes::Route,
    },
};

const KIND: &str = "messaging.reconcile_attempt";
/// When statuses of later messages have come by then, this one's would have come too.
pub(crate) const FIRST_LOOK: TimeDelta = TimeDelta::seconds(90);
/// Without such proof (nothing else was sent, or webhooks are down) the wait is longer.
const LAST_LOOK: TimeDelta = TimeDelta::minutes(15);
/// As many as are surely done within one lease.
const BATCH: u32 = 50;
const POLL: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(30);

/// The job for an attempt whose outcome is unknown.
pub(crate) fn job(route: Route, attempt_id: AttemptId, due_at: DateTime<Utc>) -> Job {
    let payload = json!({ "attempt_id": attempt_id });
    Job::new(KIND, Some(route.organization_id), payload, due_at).unique(attempt_id.to_string())
}

/// Works through due jobs until `stop`.
pub(crate) async fn run(db: Db, replica: String, stop: CancellationToken) {
    every(POLL, stop, "reconcile-attempts", || pass(&db, &replica)).await;
}

/// One batch; true when there may be more.
async fn pass(db: &Db, replica: &str) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(db, "attempts to reconcile").await?;
    let leased = jobs::claim(&mut tx, KIND, BATCH, LEASE, replica).await?;
    tx.commit().await?;
    for job in &leased {
        // One that fails must not use up the attempts of the others.
        if let Err(error) = one(db, job).await {
            tracing::warn!(job.id = %job.id, error = errors::chain(&error), "can't reconcile an attempt");
        }
    }
    Ok(leased.len() == BATCH as usize)
}

async fn one(db: &Db, job: &Leased) -> Result<(), Error> {
    let mut tx = SystemTx::begin(db, "reconcile an attempt").await?;
    reconcile(&mut tx, db, job).await?;
    tx.commit().await?;
    Ok(())
}

async fn reconcile(tx: &mut SystemTx, db: &Db, job: &Leased) -> Result<(), Error> {
    let attempt_id: Option<AttemptId> = job
        .payload
        .get("attempt_id")
        .and_then(|id| serde_json::from_value(id.clone()).ok());
    let (Some(attempt_id), Some(organization_id)) = (attempt_id, job.organization_id) else {
        jobs::fail(tx, job, "the job names no attempt").await?;
        return Ok(());
    };
    let now = db.clock().now();
    if let Some(unknown) = results::find_unknown(tx.conn(), organization_id, attempt_id).await? {
        let waited = now - unknown.started_at;
        if !unknown.statuses_flow && waited < LAST_LOOK {
            let rest = (LAST_LOOK - waited).to_std().unwrap_or(POLL);
            jobs::retry(tx, job, rest, "no status of a later message yet").await?;
            return Ok(());
        }
        give_up(tx, attempt_id, unknown, now).await?;
    }
    jobs::finish(tx, job).await?;
    Ok(())
}

async fn give_up(
    tx: &mut SystemTx,
    attempt_id: AttemptId,
    unknown: Unknown,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let route = unknown.route;
    if !results::unconfirm(tx.conn(), route, attempt_id, now).await? {
        return Ok(());
    }
    let ended = [(unknown.message_id, Status::Unconfirmed, None)];
    let moved = results::finish(tx.conn(), route, &ended, now).await?;
    tracing::warn!(message.id = %unknown.message_id, "the outcome of a send stays unknown");
    let events: Vec<_> = moved
        .iter()
        .map(|moved| publish::moved(moved, now, publish::LANE))
        .collect();
    outbox::push(tx, &events).await?;
    Ok(())
}
