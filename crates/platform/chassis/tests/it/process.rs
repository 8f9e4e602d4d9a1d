use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use crate::support::{
    eventually, get,
    process::{Process, RIGHT, run},
    refuses,
};

#[test]
fn wrong_configuration_exits_64_with_every_problem_and_no_value() {
    // A port that is taken: opening it would be an error of its own.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let wrong = [
        ("HELLO__HTTP__LISTEN", address.as_str()),
        ("HELLO__GREETING", "hunter2 hunter2 hunter2 hunter2"),
        ("HELLO__SLOW_MS", "hunter2"),
        ("HELLO__SHUTDOWN__GRACE_MS", "hunter2"),
        ("HELLO__NONSENSE", "hunter2"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "hunter2"),
        ("SWITCHBOARD_ENV", "hunter2"),
    ];
    let (code, out, err) = run(&["serve"], &wrong);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(!err.contains("hunter2"), "{err}");
    insta::assert_snapshot!(err.trim(), @r"
    hello: configuration cannot be used: 7 problems
      SWITCHBOARD_ENV: expected one of: development, production
      OTEL_METRIC_EXPORT_INTERVAL: expected a whole number of milliseconds
      HELLO__SHUTDOWN__GRACE_MS: expected a whole number, at least 0
      HELLO__NONSENSE: unknown key
      HELLO__SLOW_MS: expected a whole number, at least 0
      HELLO__TOKEN: required (or HELLO__TOKEN_FILE, or token in the file)
      HELLO__GREETING: longer than 20 letters
    ");
    for arguments in [&["config", "check"][..], &["migrate"], &["worker"]] {
        assert_eq!(run(arguments, &wrong), (64, String::new(), err.clone()));
    }
}

#[test]
fn right_configuration_passes_the_check() {
    let (code, out, err) = run(&["config", "check"], &RIGHT);
    assert_eq!(
        (code, out.trim(), err.as_str()),
        (0, "hello: configuration is right", "")
    );
}

#[test]
fn the_schema_shows_every_key_in_both_formats() {
    let (code, table, _) = run(&["config", "schema"], &[]);
    assert_eq!(code, 0);
    for row in [
        "| `HELLO__TOKEN`, `OLD_HELLO_TOKEN` | `token` | text, secret | **required** | Who may call. |",
        "| `HELLO__SHUTDOWN__GRACE_MS` | `shutdown.grace_ms` | whole number | `25000` |",
        "| `OTEL_SDK_DISABLED` |",
    ] {
        assert!(table.contains(row), "{row} in {table}");
    }
    let (code, json, _) = run(&["config", "schema", "--format", "json"], &[]);
    assert_eq!(code, 0);
    let fields: Vec<serde_json::Value> = serde_json::from_str(&json).expect("JSON");
    assert!(fields.iter().any(|field| field["env"] == "HELLO__GREETING"));
}

#[test]
fn wrong_usage_exits_64_and_help_is_no_failure() {
    for arguments in [&["dance"][..], &[], &["serve", "--fast"], &["config"]] {
        assert_eq!(run(arguments, &RIGHT).0, 64, "{arguments:?}");
    }
    assert_eq!(run(&["--help"], &[]).0, 0);
}

#[test]
fn a_service_has_commands_of_its_own() {
    let (code, out, _) = run(&["greet"], &RIGHT);
    assert_eq!(code, 0);
    assert!(out.contains("hello, command"), "{out}");
    assert_eq!(run(&["migrate"], &RIGHT).0, 0);
    let (code, out, _) = run(&["doctor"], &RIGHT);
    assert_eq!(code, 0);
    assert!(out.contains("ok      hello: built"), "{out}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_failure_with_its_address() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let mut process = Process::start(&[("HELLO__HTTP__LISTEN", &address)]);
    assert_eq!(process.end().await, 1);
    eventually("it says why", || async {
        let failed = process.find("failed");
        failed.is_some_and(|line| line["error"].to_string().contains(&address))
    })
    .await;
}

#[tokio::test]
async fn a_signal_lets_requests_in_flight_finish() {
    let mut process = Process::serve(&[]).await;
    let address = process.address();
    let stop = async {
        let metrics = format!("http://{}/metrics", process.admin());
        eventually("the request has arrived", || async {
            get(metrics.clone())
                .await
                .1
                .contains("server_active_requests")
        })
        .await;
        process.signal("TERM");
        eventually("no new connections", || refuses(address)).await;
    };
    // It is answered when the program has been told to stop, and not before.
    let (answer, ()) = tokio::join!(get(format!("http://{address}/slow")), stop);
    assert_eq!(answer, (200, "slow".to_owned()));
    assert_eq!(process.end().await, 0);
    assert!(process.find("stopped").is_some());
}

#[tokio::test]
async fn a_second_signal_ends_the_waiting() {
    let mut process = Process::serve(&[
        ("HELLO__SLOW_MS", "60000"),
        ("HELLO__SHUTDOWN__DRAIN_DELAY_MS", "60000"),
    ])
    .await;
    let ready = format!("http://{}/readyz", process.admin());
    process.signal("TERM");
    eventually("not ready", || async { get(ready.clone()).await.0 == 503 }).await;
    let started = Instant::now();
    process.signal("INT");
    assert_eq!(process.end().await, 0);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_dead_task_ends_the_process_with_code_1() {
    let mut process = Process::start(&[("HELLO__CRASH", "true")]);
    assert_eq!(process.end().await, 1);
    eventually("it says which", || async {
        process
            .lines()
            .iter()
            .any(|line| line["level"] == "ERROR" && line["task.name"] == "background")
    })
    .await;
}

#[tokio::test]
async fn the_log_level_changes_while_the_process_runs() {
    let process = Process::serve(&[]).await;
    let url = format!("http://{}/loglevel", process.admin());
    assert_eq!(get(url.clone()).await, (200, "info".to_owned()));
    let put = |filter: &'static str| {
        let request = crate::support::browser().put(&url).body(filter);
        async move { request.send().await.expect("an answer").status().as_u16() }
    };
    assert_eq!(put("info,chassis=debug").await, 204);
    assert_eq!(put("chassis=loud=very").await, 400);
    get(format!("http://{}/hello", process.address())).await;
    eventually("requests are logged now", || async {
        process.find("request answered").is_some()
    })
    .await;
}

#[tokio::test]
async fn no_filter_lets_the_amqp_client_print_messages() {
    for filter in ["info", "trace", "lapin=trace,lapin::channel=trace"] {
        let process = Process::serve(&[("RUST_LOG", "info")]).await;
        let url = format!("http://{}/loglevel", process.admin());
        let request = crate::support::browser()
            .put(&url)
            .body(format!("info,{filter}"));
        assert_eq!(request.send().await.expect("an answer").status(), 204);
        get(format!("http://{}/fail", process.address())).await;
        eventually("what comes after it is printed", || async {
            process.find("could not greet +60123456789").is_some()
        })
        .await;
        assert_eq!(process.find("undeliverable: see you at nine"), None);
    }
}

#[tokio::test]
async fn an_idle_service_stays_small() {
    let process = Process::serve(&[]).await;
    // The budget of an optimised build is 40 MB; this one is not optimised.
    let resident = process.resident();
    println!("resident: {} kB", resident / 1024);
    assert!(resident < 80 * 1024 * 1024, "{resident} bytes");
}
