use std::{sync::atomic::AtomicU32, time::Duration};

use tokio::time::{advance, sleep};

use super::*;
use crate::Shutdown;

fn health() -> (Health, Readiness, Shutdown) {
    let shutdown = Shutdown::new();
    let tasks = Tasks::new("app", shutdown.clone());
    let readiness = Readiness::new(tasks.clone());
    let health = Health::new("app", tasks, Jitter::seeded(1), readiness.draining());
    readiness.add(health.clone());
    (health, readiness, shutdown)
}

#[tokio::test(start_paused = true)]
async fn a_dependency_is_probed_every_two_seconds_and_not_when_asked() {
    let (health, readiness, _) = health();
    let probes = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&probes);
    health.probe("database", move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, String>(()) }
    });
    assert!(!health.is_ready(), "not probed yet");
    sleep(Duration::from_secs(20)).await;
    for _ in 0..100 {
        assert!(readiness.report().ready);
    }
    let probes = probes.load(Ordering::Relaxed);
    assert!((9..=12).contains(&probes), "{probes} in 20 s");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_is_given_up_after_a_second() {
    let (health, _, _) = health();
    health.probe("database", std::future::pending::<Result<(), String>>);
    sleep(Duration::from_millis(1_100)).await;
    let checked = health.checked();
    assert_eq!(checked[0].detail.as_deref(), Some("no answer within 1 s"));
    assert!(!health.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_good_result_that_nobody_renews_goes_stale() {
    let (health, _, shutdown) = health();
    health.probe("database", || async { Ok::<_, String>(()) });
    sleep(Duration::from_millis(10)).await;
    assert!(health.is_ready());
    // The prober ends; its last result stays behind.
    shutdown.begin();
    sleep(Duration::from_secs(5)).await;
    assert!(health.is_ready());
    advance(Duration::from_secs(3)).await;
    assert!(!health.is_ready());
    let detail = health.checked()[0].detail.clone().unwrap_or_default();
    assert!(detail.starts_with("last probed"), "{detail}");
}

#[tokio::test]
async fn a_closed_latch_holds_readiness_back() {
    let (health, readiness, _) = health();
    let latch = health.latch("keys");
    assert!(!readiness.report().ready);
    latch.open();
    assert!(readiness.report().ready);
}

#[tokio::test]
async fn nothing_is_ready_while_the_process_drains_or_before_it_has_services() {
    let (health, readiness, _) = health();
    assert!(health.is_ready());
    readiness.drain();
    assert!(!health.is_ready() && !readiness.report().ready);
    let empty = Readiness::new(Tasks::new("host", Shutdown::new()));
    assert!(!empty.report().ready);
}
