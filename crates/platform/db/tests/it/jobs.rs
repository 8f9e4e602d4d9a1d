use std::{collections::HashSet, time::Duration};

use db::jobs::{self, Job, JobError, Leased, Retried};
use ids::OrganizationId;
use serde_json::json;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, add_thing, noon};

const KIND: &str = "remind";
const LEASE: Duration = Duration::from_mins(1);

fn job(organization: OrganizationId) -> Job {
    Job::new(
        KIND,
        Some(organization),
        json!({ "thing": "chair" }),
        noon(),
    )
}

async fn push(fixture: &Fixture, job: Job) -> usize {
    let mut tx = fixture.tenant(job.organization_id.expect("a tenant")).await;
    let added = jobs::push(&mut tx, &[job]).await.expect("push");
    tx.commit().await.expect("commit");
    added.len()
}

async fn claim(fixture: &Fixture, worker: &str, lease: Duration) -> Vec<Leased> {
    let mut tx = fixture.system().await;
    let leased = jobs::claim(&mut tx, KIND, 10, lease, worker)
        .await
        .expect("claim");
    tx.commit().await.expect("commit");
    leased
}

async fn finish(fixture: &Fixture, job: &Leased) -> Result<(), JobError> {
    let mut tx = fixture.tenant(job.organization_id.expect("a tenant")).await;
    jobs::finish(&mut tx, job).await?;
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_job_is_handed_out_when_it_is_due_and_done_once() {
    let fixture = Fixture::new().await;
    let mut later = job(OrganizationId::generate());
    later.due_at += Duration::from_secs(10);
    push(&fixture, later).await;
    assert_eq!(claim(&fixture, "w", LEASE).await, []);
    let mut tx = fixture.system().await;
    let next = jobs::next_due(&mut tx, KIND).await.expect("a time");
    assert_eq!(next, Some(noon() + Duration::from_secs(10)));
    drop(tx);
    fixture.hand.advance(Duration::from_secs(10));
    let leased = claim(&fixture, "w", LEASE).await;
    assert_eq!(leased.len(), 1);
    assert_eq!(
        (leased[0].attempt, &leased[0].payload),
        (1, &json!({ "thing": "chair" }))
    );
    assert_eq!(claim(&fixture, "w", LEASE).await, []);
    finish(&fixture, &leased[0]).await.expect("finish");
    assert_eq!(claim(&fixture, "w", LEASE).await, []);
}

#[tokio::test]
async fn a_slow_worker_whose_lease_was_taken_can_not_finish() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    push(&fixture, job(organization)).await;
    let slow = claim(&fixture, "slow", Duration::ZERO).await;
    let thief = claim(&fixture, "thief", LEASE).await;
    assert_eq!(thief[0].attempt, 2);

    let mut tx = fixture.tenant(organization).await;
    add_thing(&mut tx, "its effect").await.expect("insert");
    let lost = jobs::finish(&mut tx, &slow[0]).await.expect_err("lost");
    assert!(matches!(lost, JobError::LeaseLost { id } if id == slow[0].id));
    drop(tx);
    let mut tx = fixture.tenant(organization).await;
    assert!(jobs::retry(&mut tx, &slow[0], LEASE, "late").await.is_err());
    assert!(jobs::fail(&mut tx, &slow[0], "late").await.is_err());
    assert!(jobs::extend(&mut tx, &slow[0], LEASE).await.is_err());
    drop(tx);
    finish(&fixture, &thief[0]).await.expect("finish");
    assert_eq!(fixture.count("things").await, 0);
}

#[tokio::test]
async fn a_worker_that_steals_from_itself_knows_its_leases_apart() {
    let fixture = Fixture::new().await;
    push(&fixture, job(OrganizationId::generate())).await;
    let first = claim(&fixture, "w", Duration::ZERO).await;
    let second = claim(&fixture, "w", LEASE).await;
    assert!(finish(&fixture, &first[0]).await.is_err());
    finish(&fixture, &second[0]).await.expect("finish");
}

#[tokio::test]
async fn workers_at_the_same_time_share_the_jobs() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut tx = fixture.tenant(organization).await;
    let many: Vec<Job> = (0..60).map(|_| job(organization)).collect();
    assert_eq!(jobs::push(&mut tx, &many).await.expect("push").len(), 60);
    tx.commit().await.expect("commit");
    let mut workers = JoinSet::new();
    for worker in 0..4 {
        let db = fixture.db.clone();
        workers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let mut tx = db::SystemTx::begin(&db, "test").await.expect("begin");
                let leased = jobs::claim(&mut tx, KIND, 7, LEASE, &format!("w{worker}"))
                    .await
                    .expect("claim");
                tx.commit().await.expect("commit");
                if leased.is_empty() {
                    return mine;
                }
                mine.extend(leased.into_iter().map(|job| job.id));
            }
        });
    }
    let taken: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len());
    // A row that was locked while the last one looked is left for the next round.
    let left = {
        let mut left = Vec::new();
        loop {
            let leased = claim(&fixture, "last", LEASE).await;
            if leased.is_empty() {
                break left;
            }
            left.extend(leased);
        }
    };
    assert_eq!(taken.len() + left.len(), 60);
}

#[tokio::test]
async fn one_equal_job_waits_and_one_runs() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let unique = || job(organization).unique("chair");
    assert_eq!(push(&fixture, unique()).await, 1);
    assert_eq!(push(&fixture, unique()).await, 0);
    let running = claim(&fixture, "w", LEASE).await;
    // What made it necessary may have happened after the running one looked.
    assert_eq!(push(&fixture, unique()).await, 1);
    assert_eq!(claim(&fixture, "w", LEASE).await, []);
    finish(&fixture, &running[0]).await.expect("finish");
    assert_eq!(claim(&fixture, "w", LEASE).await.len(), 1);
    // Another tenant's is another job.
    assert_eq!(
        push(&fixture, job(OrganizationId::generate()).unique("chair")).await,
        1
    );
}

#[tokio::test]
async fn a_retry_gives_way_to_an_equal_job_that_waits() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    push(&fixture, job(organization).unique("chair")).await;
    let running = claim(&fixture, "w", LEASE).await;
    push(&fixture, job(organization).unique("chair")).await;
    let mut tx = fixture.tenant(organization).await;
    let retried = jobs::retry(&mut tx, &running[0], LEASE, "later")
        .await
        .expect("retry");
    assert_eq!(retried, Retried::Superseded);
    tx.commit().await.expect("commit");
    assert_eq!(fixture.count("jobs").await, 1);
    assert_eq!(claim(&fixture, "w", LEASE).await.len(), 1);
}

#[tokio::test]
async fn a_job_waits_between_retries_and_fails_when_its_attempts_are_used_up() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut twice = job(organization);
    twice.max_attempts = 2;
    push(&fixture, twice).await;
    for expected in [Retried::Waiting, Retried::Failed] {
        let leased = claim(&fixture, "w", LEASE).await;
        let mut tx = fixture.tenant(organization).await;
        let retried = jobs::retry(&mut tx, &leased[0], Duration::from_secs(5), "no answer").await;
        assert_eq!(retried.expect("retry"), expected);
        tx.commit().await.expect("commit");
        assert_eq!(claim(&fixture, "w", LEASE).await, []);
        fixture.hand.advance(Duration::from_secs(5));
    }
    assert_eq!(claim(&fixture, "w", LEASE).await, []);
}

#[tokio::test]
async fn a_job_that_kills_its_workers_fails_in_the_end() {
    let fixture = Fixture::new().await;
    let mut deadly = job(OrganizationId::generate());
    deadly.max_attempts = 3;
    push(&fixture, deadly).await;
    for attempt in 1..=3 {
        assert_eq!(
            claim(&fixture, "w", Duration::ZERO).await[0].attempt,
            attempt
        );
    }
    assert_eq!(claim(&fixture, "w", Duration::ZERO).await, []);
    let state: String = sqlx::query_scalar("select state from dbtest_a.jobs")
        .fetch_one(&mut fixture.database.admin().await)
        .await
        .expect("its state");
    assert_eq!(state, "failed");
}

#[tokio::test]
async fn a_waiting_job_can_be_taken_back_and_a_running_one_not() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    push(&fixture, job(organization).unique("chair")).await;
    let mut other = fixture.tenant(OrganizationId::generate()).await;
    let foreign = jobs::cancel(&mut other, Some(organization), KIND, "chair").await;
    assert!(!foreign.expect("nothing to see"));
    drop(other);
    let running = claim(&fixture, "w", LEASE).await;
    let mut tx = fixture.tenant(organization).await;
    assert!(
        !jobs::cancel(&mut tx, Some(organization), KIND, "chair")
            .await
            .expect("cancel")
    );
    jobs::retry(&mut tx, &running[0], LEASE, "later")
        .await
        .expect("retry");
    assert!(
        jobs::cancel(&mut tx, Some(organization), KIND, "chair")
            .await
            .expect("cancel")
    );
}

async fn take_turns(fixture: &Fixture, worker: &str, limit: u32, each: u32) -> Vec<Leased> {
    let mut tx = fixture.system().await;
    let leased = jobs::claim_fairly(&mut tx, KIND, limit, each, LEASE, worker)
        .await
        .expect("claim");
    tx.commit().await.expect("commit");
    leased
}

/// How many of these are this tenant's.
fn of(leased: &[Leased], organization: OrganizationId) -> usize {
    let theirs = leased
        .iter()
        .filter(|job| job.organization_id == Some(organization));
    theirs.count()
}

#[tokio::test]
async fn a_tenant_with_many_jobs_takes_turns_with_the_others() {
    let fixture = Fixture::new().await;
    let [many, few, later] = std::array::from_fn(|_| OrganizationId::generate());
    let mut tx = fixture.tenant(many).await;
    let thousand: Vec<Job> = (0..1_000).map(|_| job(many)).collect();
    jobs::push(&mut tx, &thousand).await.expect("push");
    tx.commit().await.expect("commit");
    fixture.hand.advance(Duration::from_secs(1));
    for _ in 0..2 {
        let mut young = job(few);
        young.due_at += Duration::from_secs(1);
        push(&fixture, young).await;
    }
    let first = take_turns(&fixture, "w", 4, 3).await;
    assert_eq!((of(&first, many), of(&first, few)), (2, 2));
    // One of three places is left to the first, and the rest to whoever comes.
    let second = take_turns(&fixture, "w", 4, 3).await;
    assert_eq!((second.len(), of(&second, many)), (1, 1));
    assert_eq!(take_turns(&fixture, "w", 4, 3).await, []);
    push(&fixture, job(later)).await;
    assert_eq!(of(&take_turns(&fixture, "w", 4, 3).await, later), 1);
    // What is done makes room again; what another worker does takes none.
    finish(&fixture, &second[0]).await.expect("finish");
    assert_eq!(of(&take_turns(&fixture, "w", 4, 3).await, many), 1);
    assert_eq!(of(&take_turns(&fixture, "v", 4, 3).await, many), 3);
}

#[tokio::test]
async fn workers_that_take_turns_at_the_same_time_share_the_jobs() {
    let fixture = Fixture::new().await;
    let organizations: Vec<_> = (0..3).map(|_| OrganizationId::generate()).collect();
    for organization in &organizations {
        let mut tx = fixture.tenant(*organization).await;
        let many: Vec<Job> = (0..20).map(|_| job(*organization)).collect();
        jobs::push(&mut tx, &many).await.expect("push");
        tx.commit().await.expect("commit");
    }
    let mut workers = JoinSet::new();
    for worker in 0..4 {
        let db = fixture.db.clone();
        workers.spawn(async move {
            let (worker, mut mine) = (format!("w{worker}"), Vec::new());
            loop {
                let mut tx = db::SystemTx::begin(&db, "test").await.expect("begin");
                let leased = jobs::claim_fairly(&mut tx, KIND, 7, 1_000, LEASE, &worker)
                    .await
                    .expect("claim");
                tx.commit().await.expect("commit");
                if leased.is_empty() {
                    return mine;
                }
                mine.extend(leased.into_iter().map(|job| job.id));
            }
        });
    }
    let claimed: Vec<_> = workers.join_all().await.concat();
    let different: HashSet<_> = claimed.iter().collect();
    assert_eq!(different.len(), claimed.len(), "each was handed out once");
    let mut left = 60 - claimed.len();
    while left > 0 {
        let rest = take_turns(&fixture, "last", 60, 60).await.len();
        assert!(rest > 0, "{left} jobs are lost");
        left -= rest;
    }
}

#[tokio::test]
async fn what_jobs_waited_for_makes_those_of_it_due_and_no_others() {
    let fixture = Fixture::new().await;
    let [organization, other] = std::array::from_fn(|_| OrganizationId::generate());
    for (of, thing) in [
        (organization, "chair"),
        (organization, "table"),
        (other, "chair"),
    ] {
        let mut waiting = job(of);
        waiting.due_at += Duration::from_hours(1);
        waiting.payload = json!({ "thing": thing, "leg": 4 });
        push(&fixture, waiting).await;
    }
    let chairs = json!({ "thing": "chair" });
    let mut tx = fixture.tenant(organization).await;
    let foreign = jobs::hurry(&mut tx, other, KIND, &chairs).await;
    assert_eq!(foreign.expect("nothing to see"), 0);
    let hurried = jobs::hurry(&mut tx, organization, KIND, &chairs).await;
    assert_eq!(hurried.expect("hurry"), 1);
    tx.commit().await.expect("commit");
    let due = claim(&fixture, "w", LEASE).await;
    assert_eq!((due.len(), of(&due, organization)), (1, 1));
    assert_eq!(due[0].payload["thing"], "chair");
}
