use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use chassis::{Addresses, Base, Deps, Drain, Grpc, Host, HostOptions, Listeners, Mode, Outcome};
use clock::Clock;
use tokio::sync::Notify;

use crate::support::{App, Plan, Running, browser, eventually, get as fetch, refuses};

/// A route that says when it was entered and answers when it is let.
fn gated() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at_door, opened) = (Arc::clone(&entered), Arc::clone(&gate));
    let route = get(move || {
        let (at_door, opened) = (Arc::clone(&at_door), Arc::clone(&opened));
        async move {
            at_door.notify_one();
            opened.notified().await;
            "done"
        }
    });
    (Router::new().route("/gated", route), entered, gate)
}

fn with_start(start: impl Fn(Deps) + Send + Sync + 'static) -> Plan {
    Plan {
        start: Some(Arc::new(start)),
        ..Plan::default()
    }
}

/// Which hooks a mode runs, in order, and whether anything listens.
async fn life(mode: Mode) -> (Vec<&'static str>, Addresses) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |hook: &'static str| {
        let log = Arc::clone(&log);
        move || log.lock().expect("not poisoned").push(hook)
    };
    let (build, serve, start, finish) =
        (note("build"), note("serve"), note("start"), note("finish"));
    let plan = Plan {
        http: Some(Router::new()),
        grpc: Some(Grpc::new(&[])),
        build: Some(Arc::new(move |_| build())),
        serve: Some(Arc::new(move |_| serve())),
        start: Some(Arc::new(move |_| start())),
        finish: Some(Arc::new(move |()| finish())),
        ..Plan::default()
    };
    let running = Running::with(plan, |options, _| options.mode = mode).await;
    let addresses = running.addresses;
    running.host.shutdown().await;
    let hooks = log.lock().expect("not poisoned").clone();
    (hooks, addresses)
}

#[tokio::test]
async fn each_half_of_a_service_starts_what_it_needs_and_nothing_else() {
    let (requests, work) = (true, true);
    for (mode, hooks) in [
        (Mode::ALL, &["build", "serve", "start", "finish"][..]),
        (
            Mode {
                requests,
                work: false,
            },
            &["build", "serve", "finish"],
        ),
        (
            Mode {
                requests: false,
                work,
            },
            &["build", "start", "finish"],
        ),
        (Mode::NONE, &["build", "finish"]),
    ] {
        let (ran, addresses) = life(mode).await;
        assert_eq!(ran, hooks, "{mode:?}");
        let listens = [addresses.http, addresses.grpc].map(|address| address.is_some());
        assert_eq!(listens, [mode.requests; 2], "{mode:?}");
    }
}

#[tokio::test]
async fn what_requests_need_runs_before_a_port_opens() {
    let listeners = Listeners::open(&Base::for_tests())
        .await
        .expect("open ports");
    let taken = listeners.addresses().http.expect("opened");
    let served = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&served);
    let plan = Plan {
        http: Some(Router::new()),
        serve: Some(Arc::new(move |_| note.store(true, Ordering::Relaxed))),
        ..Plan::default()
    };
    let options = HostOptions::for_tests(Clock::system());
    let mut host = Host::start(options).await.expect("start the host");
    let mut base = Base::for_tests();
    base.http.listen = Some(taken);
    let added = host.add::<App>(&base, plan).await;
    assert!(added.is_err(), "the port is taken");
    assert!(served.load(Ordering::Relaxed));
    host.shutdown().await;
}

/// Waits for the death of a task, then stops.
async fn stop_after_failure(running: Running) -> Outcome {
    running.host.failed().await;
    running.host.shutdown().await
}

#[tokio::test]
async fn a_request_in_flight_survives_a_shutdown() {
    let (routes, entered, gate) = gated();
    let running = Running::new(Plan {
        http: Some(routes),
        ..Plan::default()
    })
    .await;
    let address = running.addresses.http.expect("serves HTTP");
    let url = running.http("/gated");
    let stop = async {
        entered.notified().await;
        let release = async {
            eventually("new connections are refused", || refuses(address)).await;
            gate.notify_one();
        };
        tokio::join!(running.host.shutdown(), release).0
    };
    let (answer, outcome) = tokio::join!(fetch(url), stop);
    assert_eq!(answer, (200, "done".to_owned()));
    assert_eq!(outcome, Outcome::default());
}

#[tokio::test]
async fn a_request_that_outlives_the_grace_is_dropped() {
    let (routes, entered, _gate) = gated();
    let plan = Plan {
        http: Some(routes),
        ..Plan::default()
    };
    let running = Running::with(plan, |options, _| {
        options.drain = Drain {
            drain_delay_ms: Some(0),
            grace_ms: 50,
        };
    })
    .await;
    let url = running.http("/gated");
    let stop = async {
        entered.notified().await;
        running.host.shutdown().await
    };
    let (answer, outcome) = tokio::join!(browser().get(url).send(), stop);
    assert!(answer.is_err(), "the connection was cut");
    assert_eq!(outcome.dropped, 1);
    assert!(outcome.is_success(), "an operator asked for it");
}

#[tokio::test]
async fn readiness_goes_first_and_requests_are_served_until_the_delay_is_over() {
    let plan = Plan {
        http: Some(Router::new().route("/hello", get(|| async { "hello" }))),
        ..Plan::default()
    };
    let running = Running::with(plan, |options, _| {
        options.drain.drain_delay_ms = Some(2_000);
    })
    .await;
    let (ready, hello) = (running.admin("/readyz"), running.http("/hello"));
    let address = running.addresses.http.expect("serves HTTP");
    assert_eq!(fetch(ready.clone()).await.0, 200);
    let look = async {
        eventually("not ready", || async {
            fetch(ready.clone()).await.0 == 503
        })
        .await;
        let (_, body) = fetch(ready.clone()).await;
        assert!(body.contains("\"draining\":true"), "{body}");
        assert_eq!(fetch(hello).await.0, 200, "still served");
        eventually("refused", || refuses(address)).await;
    };
    tokio::join!(running.host.shutdown(), look);
}

#[tokio::test]
async fn the_admin_server_is_the_last_to_go() {
    let (routes, entered, gate) = gated();
    let running = Running::new(Plan {
        http: Some(routes),
        ..Plan::default()
    })
    .await;
    let admin = running.host.admin_address().expect("has an admin server");
    let (url, live) = (running.http("/gated"), running.admin("/livez"));
    let address = running.addresses.http.expect("serves HTTP");
    let stop = async {
        entered.notified().await;
        let look = async {
            eventually("refused", || refuses(address)).await;
            assert_eq!(fetch(live).await.0, 200, "alive while it drains");
            gate.notify_one();
        };
        tokio::join!(running.host.shutdown(), look).0
    };
    tokio::join!(fetch(url), stop);
    assert!(refuses(admin).await);
}

#[tokio::test]
async fn a_panicking_task_ends_the_process_with_a_failure() {
    let running = Running::new(with_start(|deps| {
        let stop = deps.shutdown.soft.clone();
        deps.tasks.spawn("doomed", async move {
            assert!(stop.is_cancelled(), "broken invariant for +60123456789");
        });
    }))
    .await;
    let alive = running.admin("/livez");
    running.host.failed().await;
    let (status, body) = fetch(alive).await;
    assert_eq!(status, 503);
    assert!(body.contains("doomed"), "{body}");
    let outcome = running.host.shutdown().await;
    let failure = outcome.failure.expect("a task died");
    assert_eq!((failure.service, failure.task), ("app", "doomed"));
    assert_eq!(failure.reason, "panicked: broken invariant for [number]");
}

#[tokio::test]
async fn a_task_that_ends_before_it_is_asked_to_is_a_failure() {
    let running = Running::new(with_start(|deps| {
        deps.tasks.spawn("short", async {});
    }))
    .await;
    let failure = stop_after_failure(running).await.failure;
    assert!(failure.is_some_and(|f| f.reason == "ended before it was asked to"));
}

#[tokio::test]
async fn a_task_that_fails_is_reported_with_its_causes() {
    let running = Running::new(with_start(|deps| {
        deps.tasks.spawn("failing", async {
            let cause = std::io::Error::other("disk full");
            Err::<(), _>(chassis::anyhow::Error::new(cause).context("write the index"))
        });
    }))
    .await;
    let failure = stop_after_failure(running).await.failure;
    let reason = failure.expect("a task failed").reason;
    assert_eq!(reason, "failed: write the index: disk full");
}

#[tokio::test]
async fn tasks_are_asked_first_and_dropped_when_the_grace_is_over() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&log);
    let plan = with_start(move |deps| {
        let noted = Arc::clone(&noted);
        let stop = deps.shutdown.soft.clone();
        deps.tasks.spawn("polite", async move {
            stop.cancelled().await;
            noted
                .lock()
                .expect("not poisoned")
                .push("finished its batch");
        });
        deps.tasks.spawn("stubborn", std::future::pending::<()>());
    });
    let running = Running::with(plan, |options, _| options.drain.grace_ms = 50).await;
    let outcome = running.host.shutdown().await;
    assert_eq!(*log.lock().expect("not poisoned"), ["finished its batch"]);
    assert_eq!((outcome.dropped, outcome.is_success()), (1, true));
}

#[tokio::test]
async fn a_service_closes_after_everything_under_way_has_ended() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (by_task, by_finish) = (Arc::clone(&log), Arc::clone(&log));
    let mut plan = with_start(move |deps| {
        let (log, stop) = (Arc::clone(&by_task), deps.shutdown.soft.clone());
        deps.tasks.spawn("worker", async move {
            stop.cancelled().await;
            tokio::task::yield_now().await;
            log.lock().expect("not poisoned").push("worker ended");
        });
    });
    plan.finish = Some(Arc::new(move |()| {
        by_finish.lock().expect("not poisoned").push("pools closed");
    }));
    let running = Running::new(plan).await;
    running.host.shutdown().await;
    let order = log.lock().expect("not poisoned").clone();
    assert_eq!(order, ["worker ended", "pools closed"]);
}

#[tokio::test]
async fn a_service_that_panics_while_closing_does_not_stop_the_others() {
    let running = Running::new(Plan {
        finish: Some(Arc::new(|()| panic!("close failed"))),
        ..Plan::default()
    })
    .await;
    assert_eq!(running.host.shutdown().await.unfinished, ["app"]);
}

#[tokio::test]
async fn a_host_that_is_dropped_leaves_nothing_behind() {
    let plan = Plan {
        http: Some(Router::new()),
        ..Plan::default()
    };
    let running = Running::new(plan).await;
    let address = running.addresses.http.expect("serves HTTP");
    drop(running);
    eventually("the port is free", || refuses(address)).await;
}

#[tokio::test]
async fn a_service_that_cannot_be_built_opens_no_port() {
    let listeners = Listeners::open(&Base::for_tests())
        .await
        .expect("open ports");
    let address = listeners.addresses().http.expect("opened");
    let options = HostOptions::for_tests(Clock::system());
    let mut host = Host::start(options).await.expect("start the host");
    let plan = Plan {
        broken: true,
        http: Some(Router::new()),
        ..Plan::default()
    };
    let base = Base::for_tests();
    let added = host.add_on::<App>(listeners, &base, plan).await;
    let error = added.expect_err("told not to");
    assert_eq!(error.to_string(), "build app");
    assert!(refuses(address).await);
    assert!(!host.is_ready());
    host.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_never_started_stops_without_waiting_to_be_noticed() {
    let mut options = HostOptions::for_tests(Clock::system());
    options.drain.drain_delay_ms = Some(60_000);
    let mut host = Host::start(options).await.expect("start the host");
    let plan = Plan {
        broken: true,
        ..Plan::default()
    };
    let added = host.add::<App>(&Base::for_tests(), plan).await;
    assert!(added.is_err(), "told not to");
    // Time moves only when everything sleeps.
    let before = tokio::time::Instant::now();
    host.shutdown().await;
    assert!(before.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn clients_may_connect_before_their_service_is_built() {
    let listeners = Listeners::open(&Base::for_tests())
        .await
        .expect("open ports");
    let address = listeners.addresses().http.expect("opened");
    let options = HostOptions::for_tests(Clock::system());
    let mut host = Host::start(options).await.expect("start the host");
    let plan = Plan {
        http: Some(Router::new().route("/hello", get(|| async { "hello" }))),
        ..Plan::default()
    };
    let base = Base::for_tests();
    let add = async {
        let connected = tokio::net::TcpStream::connect(address).await;
        assert!(connected.is_ok(), "the kernel takes the connection");
        host.add_on::<App>(listeners, &base, plan).await
    };
    let url = format!("http://{address}/hello");
    let (answer, added) = tokio::join!(fetch(url), add);
    assert_eq!(answer, (200, "hello".to_owned()));
    assert_eq!(added.expect("added").http, Some(address));
    host.shutdown().await;
}

#[tokio::test]
async fn several_services_share_one_host() {
    let options = HostOptions::for_tests(Clock::system());
    let mut host = Host::start(options).await.expect("start the host");
    for _ in 0..2 {
        let base = Base::for_tests();
        let added = host.add::<App>(&base, Plan::default()).await;
        added.expect("add a service");
    }
    assert!(host.is_ready());
    let before = tokio::time::Instant::now();
    assert!(host.shutdown().await.is_success());
    assert!(before.elapsed() < Duration::from_secs(2));
}
