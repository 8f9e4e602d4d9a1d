//! Takes conversations away from a person who is no active member any more, or from a team that is gone. It may be many,
//! so it is a job. Resolved ones keep who had them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use db::{
    Db, SystemTx,
    jobs::{self, Job, Leased},
};
use ids::{JobId, OrganizationId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::every;
use crate::{
    error::Error,
    ops,
    store::{
        agents, participants,
        work::{self, Work},
    },
};

const KIND: &str = "messaging.release_work";
const POLL: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_mins(1);
/// Conversations of one transaction.
const BATCH: i64 = 200;
/// Transactions of one lease: what is left waits for the next one, which comes at once.
const STEPS: usize = 20;
/// Who does it, for those who read the conversations.
const ACTOR: &str = "system:roster";

/// Who or what has no conversations any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gone {
    Person(UserId),
    Team(TeamId),
}

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    organization_id: OrganizationId,
    gone: Gone,
}

/// The job. It belongs to the platform: the relay of a tenant's own work must not hold it up.
pub(crate) fn job(organization_id: OrganizationId, gone: Gone, now: DateTime<Utc>) -> Job {
    let key = match gone {
        Gone::Person(id) => format!("{organization_id}:{id}"),
        Gone::Team(id) => format!("{organization_id}:{id}"),
    };
    let payload = json!(Payload {
        organization_id,
        gone,
    });
    Job::new(KIND, None, payload, now).unique(key)
}

/// Works through due jobs until `stop`.
pub(crate) async fn run(db: Db, replica: String, stop: CancellationToken) {
    every(POLL, stop, "release-work", || pass(&db, &replica)).await;
}

/// One job; true when there may be more to do.
pub(crate) async fn pass(db: &Db, replica: &str) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(db, "conversations of those who left").await?;
    let leased = jobs::claim(&mut tx, KIND, 1, LEASE, replica).await?;
    tx.commit().await?;
    for job in &leased {
        release(db, job).await?;
    }
    Ok(!leased.is_empty())
}

async fn release(db: &Db, job: &Leased) -> Result<(), Error> {
    let payload = serde_json::from_value::<Payload>(job.payload.clone());
    let mut done = true;
    if let Ok(Payload {
        organization_id,
        gone,
    }) = &payload
    {
        done = false;
        for _ in 0..STEPS {
            if step(db, *organization_id, *gone).await? {
                done = true;
                break;
            }
        }
    }
    let mut tx = SystemTx::begin(db, "conversations of those who left").await?;
    match payload {
        Err(_) => jobs::fail(&mut tx, job, "the job names nobody").await?,
        Ok(Payload {
            organization_id,
            gone,
        }) => {
            jobs::finish(&mut tx, job).await?;
            if !done {
                let next = self::job(organization_id, gone, db.clock().now());
                let _ids: Vec<JobId> = jobs::push(&mut tx, &[next]).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// One batch; true when nothing is left.
async fn step(db: &Db, of: OrganizationId, gone: Gone) -> Result<bool, Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "conversations of those who left").await?;
    let taken = match gone {
        // Back again before the job began: nothing is taken away.
        Gone::Person(id) if !agents::active(tx.conn(), of, &[id]).await?.is_empty() => {
            return Ok(true);
        }
        Gone::Person(id) => {
            let followed = participants::remove_everywhere(tx.conn(), of, id, BATCH).await?;
            let has = work::lock_of_assignee(tx.conn(), of, id, BATCH).await?;
            let full = followed == BATCH.unsigned_abs();
            (has, full)
        }
        Gone::Team(id) => (work::lock_of_team(tx.conn(), of, id, BATCH).await?, false),
    };
    let (has, full) = taken;
    let done = !full && has.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
    let released: Vec<(Work, Work)> = has
        .into_iter()
        .map(|before| {
            let mut after = before.clone();
            match gone {
                Gone::Person(_) => after.assignee_id = None,
                Gone::Team(_) => after.team_id = None,
            }
            after.version += 1;
            (before, after)
        })
        .collect();
    ops::changes::save_all(&mut tx, &released, ACTOR, now).await?;
    tx.commit().await?;
    Ok(done)
}
