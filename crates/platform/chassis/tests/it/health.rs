use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use chassis::{Deps, Grpc, Latch};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::support::{Plan, Running, browser, eventually, get};

fn with_build(build: impl Fn(Deps) + Send + Sync + 'static) -> Plan {
    Plan {
        build: Some(Arc::new(build)),
        ..Plan::default()
    }
}

/// A plan whose service waits for a latch, and the latch.
fn latched() -> (Plan, Arc<Mutex<Option<Latch>>>) {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let plan = with_build(move |deps| {
        let latch = deps.health.latch("signing keys");
        keep.lock().expect("not poisoned").replace(latch);
    });
    (plan, kept)
}

fn open(latch: &Mutex<Option<Latch>>) {
    let latch = latch.lock().expect("not poisoned");
    latch.as_ref().expect("the service is built").open();
}

#[tokio::test]
async fn a_service_is_not_ready_until_its_latches_are_open() {
    let (plan, latch) = latched();
    let running = Running::new(plan).await;
    let (status, body) = get(running.admin("/readyz")).await;
    assert_eq!(status, 503);
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["services"][0]["checks"][1]["name"], "signing keys");
    assert_eq!(body["services"][0]["checks"][1]["ready"], false);
    open(&latch);
    assert_eq!(get(running.admin("/readyz")).await.0, 200);
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_failing_dependency_makes_a_service_unready_but_leaves_it_alive() {
    let up = Arc::new(AtomicBool::new(false));
    let probed = Arc::clone(&up);
    let running = Running::new(with_build(move |deps| {
        let up = Arc::clone(&probed);
        deps.health.probe("database", move || {
            let up = up.load(Ordering::Relaxed);
            async move {
                if up {
                    Ok(())
                } else {
                    Err(chassis::anyhow::anyhow!("connection refused").context("ping"))
                }
            }
        });
    }))
    .await;
    let ready = running.admin("/readyz");
    eventually("the reason shows", || async {
        get(ready.clone())
            .await
            .1
            .contains("ping: connection refused")
    })
    .await;
    assert_eq!(get(ready.clone()).await.0, 503);
    assert_eq!(get(running.admin("/livez")).await.0, 200);
    up.store(true, Ordering::Relaxed);
    eventually("ready", || async { get(ready.clone()).await.0 == 200 }).await;
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_dependency_that_is_only_watched_shows_without_deciding() {
    let running = Running::new(with_build(|deps| {
        let down = || async { Err::<(), _>("broker is down") };
        deps.health.watch("broker", down);
    }))
    .await;
    let ready = running.admin("/readyz");
    eventually("it shows", || async {
        get(ready.clone()).await.1.contains("broker is down")
    })
    .await;
    assert_eq!(get(ready).await.0, 200);
    running.host.shutdown().await;
}

#[tokio::test]
async fn the_grpc_health_service_says_what_readyz_says() {
    let (mut plan, latch) = latched();
    plan.grpc = Some(Grpc::new(&[]));
    let running = Running::new(plan).await;
    let channel = tonic::transport::Endpoint::from_shared(running.grpc())
        .expect("an address")
        .connect_lazy();
    let status = |service: &str| {
        let mut client = HealthClient::new(channel.clone());
        let service = service.to_owned();
        async move { client.check(HealthCheckRequest { service }).await }
    };
    let is = |wanted: ServingStatus| {
        let answer = status("");
        async move { answer.await.is_ok_and(|a| a.get_ref().status() == wanted) }
    };
    eventually("not serving", || is(ServingStatus::NotServing)).await;
    open(&latch);
    eventually("serving", || is(ServingStatus::Serving)).await;
    let unknown = status("nobody.v1.Nothing").await;
    assert_eq!(unknown.expect_err("no such service").code(), Code::NotFound);
    running.host.shutdown().await;
}

#[tokio::test]
async fn probes_can_be_run_once_on_demand() {
    let running = Running::new(with_build(|deps| {
        deps.health
            .probe("database", || async { Ok::<_, String>(()) });
        deps.health.watch("slow", || async {
            std::future::pending::<Result<(), String>>().await
        });
    }))
    .await;
    let found = running.host.examine().await;
    let slow = Err("no answer within 1 s".to_owned());
    assert_eq!(found, [("database", Ok(())), ("slow", slow)]);
    running.host.shutdown().await;
}

#[tokio::test]
async fn the_admin_server_has_no_other_doors() {
    let running = Running::new(Plan::default()).await;
    for path in ["/", "/env", "/config", "/debug"] {
        assert_eq!(get(running.admin(path)).await.0, 404);
    }
    // This process's logs belong to the test runner.
    let url = running.admin("/loglevel");
    let answer = browser().put(url).body("debug").send().await;
    assert_eq!(answer.expect("an answer").status(), 400);
    running.host.shutdown().await;
}
