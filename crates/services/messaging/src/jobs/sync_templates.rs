//! Reads each account's templates from Meta: every hour, when a number is connected, and when somebody asks. Webhooks tell
//! the same at once; this is for what they missed.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    AsTx, DbError, SystemTx,
    jobs::{self, Job, Leased},
};
use errors::Classify;
use ids::{OrganizationId, TenantScope};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::every_within;
use crate::{
    error::Error,
    ops::templates::catalogue::{self, Outcome},
    outbound::Engine,
    store::templates::sync,
};

pub(crate) const KIND: &str = "messaging.sync_templates";
const HOURLY: TimeDelta = TimeDelta::hours(1);
/// After a list that could not be read.
const SOON: TimeDelta = TimeDelta::minutes(5);
/// One at a time: a list may take a minute, and the next replica has the next one.
const BATCH: u32 = 1;
const POLL: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_mins(5);
/// 6,000 templates are 60 pages.
const LIMIT: Duration = Duration::from_mins(4);

/// The job for an account.
pub(crate) fn job(organization_id: OrganizationId, waba_id: &str, due_at: DateTime<Utc>) -> Job {
    let payload = json!({ "waba_id": waba_id });
    Job::new(KIND, Some(organization_id), payload, due_at).unique(waba_id)
}

/// The same at once, in place of one that waits for its hour.
pub(crate) async fn hurry(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    waba_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    jobs::cancel(tx, Some(organization_id), KIND, waba_id).await?;
    jobs::push(tx, &[job(organization_id, waba_id, now)]).await?;
    Ok(())
}

/// Works through due jobs until `stop`.
pub(crate) async fn run(engine: Arc<Engine>, stop: CancellationToken) {
    every_within(LIMIT, POLL, stop, "sync-templates", || pass(&engine)).await;
}

/// One account; true when there may be more.
pub(crate) async fn pass(engine: &Engine) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(&engine.db, "templates to read").await?;
    let leased = jobs::claim(&mut tx, KIND, BATCH, LEASE, &engine.replica).await?;
    tx.commit().await?;
    for job in &leased {
        one(engine, job).await?;
    }
    Ok(!leased.is_empty())
}

async fn one(engine: &Engine, job: &Leased) -> Result<(), Error> {
    let waba_id = job.payload.get("waba_id").and_then(|id| id.as_str());
    let (Some(waba_id), Some(organization_id)) = (waba_id, job.organization_id) else {
        let mut tx = SystemTx::begin(&engine.db, "a job that names no account").await?;
        jobs::fail(&mut tx, job, "the job names no account").await?;
        tx.commit().await?;
        return Ok(());
    };
    let scope = TenantScope::system(organization_id, "templates");
    let read = catalogue::read_list(engine, &scope, waba_id).await;
    let now = engine.clock().now();
    let mut tx = SystemTx::begin(&engine.db, "the next reading of templates").await?;
    jobs::finish(&mut tx, job).await?;
    // Whatever went wrong, there is a next time: a job that failed for good would be the last one of this account.
    let failure = match read {
        Ok(Outcome::Read) => None,
        Ok(Outcome::NoChannel) => {
            // Connecting the number again begins anew.
            tx.commit().await?;
            return Ok(());
        }
        Ok(Outcome::Failed(error)) => Some(Error::WhatsApp(error)),
        Err(error) => Some(error),
    };
    let due_at = match &failure {
        None => now + HOURLY,
        Some(error) => {
            tracing::warn!(
                whatsapp.waba_id = waba_id,
                error = errors::chain(error),
                "the templates of an account can't be read"
            );
            let code = error.code();
            let words = format!("{} {}", code.title, code.help);
            sync::record(tx.conn(), organization_id, waba_id, Some(&words), now).await?;
            now + SOON
        }
    };
    jobs::push(&mut tx, &[self::job(organization_id, waba_id, due_at)]).await?;
    tx.commit().await?;
    Ok(())
}
