//! What leaves the process: to a collector, to the error tracker, to callees and to the log.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::any};
use chassis::{
    ChannelConfig, Environment, Grpc, Telemetry, TelemetrySettings,
    config::{EnvSource, Problems},
};
use http::HeaderMap;
use http_body_util::BodyExt;
use tonic::{Request, transport::Endpoint};

use crate::support::{
    Plan, Running, browser,
    echo::{self, Echo},
    eventually, get,
    process::Process,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>);

impl Received {
    fn find(&self, path: &str) -> Option<(HeaderMap, Bytes)> {
        let received = self.0.lock().expect("not poisoned");
        let found = received.iter().find(|(received, ..)| received == path);
        found.map(|(_, headers, body)| (headers.clone(), body.clone()))
    }
}

/// Takes whatever it is sent, over HTTP and gRPC, and says that all is well.
async fn collector() -> (Running, Received) {
    let received = Received::default();
    let keep = received.clone();
    let take = any(move |request: axum::extract::Request| {
        let keep = keep.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            let path = head.uri.path().to_owned();
            let received = (path, head.headers, body);
            keep.0.lock().expect("not poisoned").push(received);
            [("content-type", "application/grpc"), ("grpc-status", "0")]
        }
    });
    let running = Running::new(Plan {
        http: Some(Router::new().fallback_service(take)),
        ..Plan::default()
    })
    .await;
    (running, received)
}

/// One traced request to the program, then its orderly end.
async fn one_request(process: &mut Process, path: &str) {
    let url = format!("http://{}{path}", process.address());
    let request = browser().get(url).header("traceparent", PARENT);
    request.send().await.expect("an answer");
    process.signal("TERM");
    assert_eq!(process.end().await, 0);
}

fn contains(body: &Bytes, wanted: &[u8]) -> bool {
    body.windows(wanted.len()).any(|window| window == wanted)
}

/// A trace id as it lies in a protobuf message.
fn raw(trace: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&trace[at..at + 2], 16).expect("hexadecimal");
    (0..trace.len()).step_by(2).map(byte).collect()
}

#[tokio::test]
async fn traces_and_metrics_reach_a_collector_over_grpc_before_the_process_ends() {
    let (collector, received) = collector().await;
    let endpoint = collector.http("");
    let mut process = Process::serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b"),
        ("OTEL_SERVICE_NAME", "renamed"),
    ])
    .await;
    one_request(&mut process, "/hello").await;
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let (headers, traces) = received.find(path).expect("traces arrived");
    assert_eq!(headers["x-team"], "a b");
    assert!(contains(&traces, &raw(TRACE)), "the caller's trace goes on");
    assert!(contains(&traces, b"GET /hello") && contains(&traces, b"renamed"));
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let (_, metrics) = received.find(path).expect("metrics arrived");
    assert!(contains(&metrics, b"http.server.request.duration"));
    collector.host.shutdown().await;
}

#[tokio::test]
async fn traces_and_metrics_reach_a_collector_over_http() {
    let (collector, received) = collector().await;
    let endpoint = collector.http("");
    let mut process = Process::serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip"),
    ])
    .await;
    one_request(&mut process, "/hello").await;
    let (_, traces) = received.find("/v1/traces").expect("traces arrived");
    assert!(contains(&traces, &raw(TRACE)));
    let (headers, _) = received.find("/v1/metrics").expect("metrics arrived");
    assert_eq!(headers["content-encoding"], "gzip");
    collector.host.shutdown().await;
}

#[tokio::test]
async fn exporters_that_are_turned_off_send_nothing() {
    let (collector, received) = collector().await;
    let endpoint = collector.http("");
    for off in [
        &[("OTEL_SDK_DISABLED", "true")][..],
        &[
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
        ],
    ] {
        let more = [&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())], off].concat();
        let mut process = Process::serve(&more).await;
        one_request(&mut process, "/hello").await;
    }
    assert!(received.0.lock().expect("not poisoned").is_empty());
    collector.host.shutdown().await;
}

#[tokio::test]
async fn a_collector_that_is_gone_does_not_keep_the_process() {
    let mut process = Process::serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
    ])
    .await;
    one_request(&mut process, "/hello").await;
    eventually("it says so", || async {
        let failed = |line: &serde_json::Value| {
            line["level"] == "ERROR" && line["target"].to_string().contains("opentelemetry")
        };
        process.lines().iter().any(failed)
    })
    .await;
}

/// The one test that installs telemetry for its process.
#[tokio::test]
async fn a_trace_goes_on_from_service_to_service() {
    let env = EnvSource::from([("RUST_LOG", "off")]);
    let mut problems = Problems::default();
    let settings = TelemetrySettings::read(&env, Environment::Production, &mut problems);
    Telemetry::install(&settings, "test").expect("nothing is installed yet");
    let owner = serve(|request| async move {
        let parent = request.metadata().get("traceparent");
        let parent = parent.and_then(|parent| parent.to_str().ok());
        Ok(parent.unwrap_or_default().to_owned())
    })
    .await;
    let channels = owner.host.deps("front").channels;
    let config = ChannelConfig::to(owner.grpc());
    let channel = channels.open(&config, &[], None).expect("a channel");
    let front = serve(move |_| {
        echo::call(
            channel.clone(),
            "/test.Echo/Read",
            Request::new(String::new()),
        )
    })
    .await;
    let mut request = Request::new(String::new());
    let parent = PARENT.parse().expect("a header value");
    request.metadata_mut().insert("traceparent", parent);
    let endpoint = Endpoint::from_shared(front.grpc()).expect("an address");
    let seen = echo::call(endpoint.connect_lazy(), "/test.Echo/Read", request).await;
    let seen = seen.expect("an answer");
    let [_, trace, span, flags] = seen.split('-').collect::<Vec<_>>()[..] else {
        panic!("a traceparent: {seen}");
    };
    assert_eq!((trace, flags), (TRACE, "01"));
    assert_ne!(
        span, "00f067aa0ba902b7",
        "the caller is the front's own span"
    );
    front.host.shutdown().await;
    owner.host.shutdown().await;
}

async fn serve<F, Fut>(method: F) -> Running
where
    F: Fn(Request<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, tonic::Status>> + Send + 'static,
{
    Running::new(Plan {
        grpc: Some(Grpc::new(&[]).add(Echo::new(method))),
        ..Plan::default()
    })
    .await
}

#[tokio::test]
async fn an_error_reaches_the_tracker_with_its_trace_and_nothing_personal() {
    let (tracker, received) = collector().await;
    let dsn = tracker.http("/1").replace("http://", "http://key@");
    let mut process = Process::serve(&[
        ("SENTRY_DSN", &dsn),
        ("SENTRY_ENVIRONMENT", "staging"),
        ("SENTRY_RELEASE", "hello@1"),
    ])
    .await;
    one_request(&mut process, "/fail").await;
    let (_, envelope) = received.find("/api/1/envelope/").expect("a report arrived");
    let report = String::from_utf8_lossy(&envelope);
    for wanted in ["could not greet", TRACE, "staging", "hello@1"] {
        assert!(report.contains(wanted), "{wanted} in {report}");
    }
    for personal in ["60123456789", "a@b.example", "hunter2", "see you at nine"] {
        assert!(!report.contains(personal), "{personal} in {report}");
    }
    tracker.host.shutdown().await;
}

#[tokio::test]
async fn every_log_line_of_a_request_finds_its_trace() {
    let mut process = Process::serve(&[("RUST_LOG", "debug,hyper=info,reqwest=info")]).await;
    one_request(&mut process, "/hello").await;
    eventually("the request is logged", || async {
        process.find("request answered").is_some()
    })
    .await;
    let line = process.find("request answered").expect("just seen");
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"].as_str().map(str::len), Some(16));
    assert_eq!(line["http.route"], "/hello");
    assert_eq!(line["service.name"], "hello");
    assert!(line["request.id"].is_string() && line["timestamp"].is_string());
}

#[tokio::test]
async fn what_the_standard_allows_and_we_lack_is_said_once() {
    let process = Process::serve(&[("OTEL_PROPAGATORS", "tracecontext,b3")]).await;
    let warnings: Vec<_> = process
        .lines()
        .into_iter()
        .filter(|line| line["level"] == "WARN")
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        get(format!("http://{}/hello", process.address())).await.0,
        200
    );
}
