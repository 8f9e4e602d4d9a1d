//! Looks at every connected number hourly: how WhatsApp says it is doing. Webhooks tell some of it at once; this is for
//! what they missed and for what they never tell.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    AsTx, DbError, SystemTx,
    jobs::{self, Job, Leased},
};
use ids::{ChannelId, TenantScope};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{every, transfers};
use crate::{
    error::Error,
    ops::channel_health::{self, Next},
    outbound::Engine,
    store::{channel_health as store, routes::Route},
};

pub(crate) const KIND: &str = "messaging.check_channel";
/// Numbers whose job was lost, or that were connected by a release without such jobs, are looked for this often.
const SEARCH: Duration = Duration::from_hours(1);
/// A number that was not looked at for so long has no job.
const FORGOTTEN: TimeDelta = TimeDelta::hours(3);
/// Numbers of one transaction.
const BATCH: i64 = 200;
/// The next looks are spread over this part of the pause, so that numbers connected together part.
const SPREAD: u32 = 6;

fn payload(channel_id: ChannelId) -> Value {
    json!({ "channel_id": channel_id })
}

/// The job for a number.
fn job(route: Route, due_at: DateTime<Utc>) -> Job {
    let payload = payload(route.channel_id);
    let job = Job::new(KIND, Some(route.organization_id), payload, due_at);
    job.unique(route.channel_id.to_string())
}

/// The number is looked at now, rather than within the hour.
pub(crate) async fn hurry(
    tx: &mut impl AsTx,
    route: Route,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    jobs::push(tx, &[job(route, now)]).await?;
    let matching = payload(route.channel_id);
    jobs::hurry(tx, route.organization_id, KIND, &matching).await?;
    Ok(())
}

/// Looks at numbers until `stop`.
pub(crate) async fn run(engine: Arc<Engine>, stop: CancellationToken) {
    let searching = every(SEARCH, stop.clone(), "search-channels", || search(&engine));
    let checking = transfers::run(Arc::clone(&engine), KIND, stop.clone(), check);
    tokio::join!(searching, checking);
}

/// Gives a job to every number that has none.
pub(crate) async fn search(engine: &Engine) -> Result<bool, Error> {
    let now = engine.clock().now();
    let mut after = None;
    loop {
        let mut tx = SystemTx::begin(&engine.db, "numbers that nobody looks at").await?;
        let found = store::list_forgotten(tx.conn(), now - FORGOTTEN, after, BATCH).await?;
        // Not all at the same moment.
        let at = |_: &Route| now + engine.jitter.up_to(Duration::from_mins(5));
        let due: Vec<Job> = found.iter().map(|route| job(*route, at(route))).collect();
        jobs::push(&mut tx, &due).await?;
        tx.commit().await?;
        after = found.last().copied();
        if found.len() < usize::try_from(BATCH).unwrap_or(0) {
            return Ok(false);
        }
    }
}

/// One look. The next one is certain whatever comes of it: a job that failed for good would be the last one of its number.
pub(crate) async fn check(engine: Arc<Engine>, job: Leased) -> Result<(), Error> {
    let id = job.payload.get("channel_id").cloned();
    let id: Option<ChannelId> = id.and_then(|id| serde_json::from_value(id).ok());
    let (Some(channel_id), Some(organization_id)) = (id, job.organization_id) else {
        let mut tx = SystemTx::begin(&engine.db, "a job that names no number").await?;
        jobs::fail(&mut tx, &job, "the job names no number").await?;
        tx.commit().await?;
        return Ok(());
    };
    let scope = TenantScope::system(organization_id, "channel_health");
    let route = Route {
        organization_id,
        channel_id,
    };
    let checking = Box::pin(channel_health::check(&engine, &scope, channel_id));
    let (mut tx, next) = checking.await?;
    jobs::finish(&mut tx, &job).await?;
    if let Some(Next(pause)) = next {
        let jitter = engine.jitter.up_to(pause / SPREAD);
        let due_at = engine.clock().now() + (pause + jitter);
        jobs::push(&mut tx, &[self::job(route, due_at)]).await?;
    }
    tx.commit().await?;
    Ok(())
}
