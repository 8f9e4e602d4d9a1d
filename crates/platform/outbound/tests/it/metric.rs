//! Every attempt is counted with its duration, also those that got no answer.

use std::time::Duration;

use clock::Clock;
use http::Method;
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData, ScopeMetrics},
};
use outbound::{Client, Config, breaker, guard::Policy};

use crate::server::{install_tls, quick, raw, url};

/// The samples of each `error.type` and their seconds, for one operation.
fn samples(exporter: &InMemoryMetricExporter, operation: &str) -> Vec<(String, u64, f64)> {
    let collected = exporter.get_finished_metrics().expect("metrics");
    let latest = collected.last().expect("one collection");
    let mut samples = Vec::new();
    for metric in latest.scope_metrics().flat_map(ScopeMetrics::metrics) {
        let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
            continue;
        };
        for point in histogram.data_points() {
            let value = |name: &str| {
                let mut attributes = point.attributes();
                let found = attributes.find(|attribute| attribute.key.as_str() == name);
                found.map(|attribute| attribute.value.as_str().into_owned())
            };
            if value("operation").as_deref() == Some(operation) {
                let error = value("error.type").unwrap_or_default();
                samples.push((error, point.count(), point.sum()));
            }
        }
    }
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    samples
}

#[tokio::test]
async fn timeouts_and_calls_held_back_are_measured() {
    install_tls();
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    opentelemetry::global::set_meter_provider(provider.clone());
    let silent = raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let config = Config {
        breaker: Some(breaker::Settings {
            minimum_calls: 1,
            ..breaker::Settings::default()
        }),
        ..quick()
    };
    let client = Client::new("test", config, Clock::system()).expect("a client");
    let tenants = Config::for_tenant_addresses(Policy::default());
    let tenants = Client::new("tenant", tenants, Clock::system()).expect("a client");

    let patience = Duration::from_millis(100);
    let silent = url(&format!("http://{silent}/"));
    for _ in 0..2 {
        let call = client.request("test.measured", Method::GET, silent.clone());
        call.deadline(patience).send().await.expect_err("no answer");
    }
    let private = url("https://127.0.0.1/");
    let call = tenants.request("test.measured", Method::GET, private);
    call.send().await.expect_err("refused");

    provider.force_flush().expect("a collection");
    let samples = samples(&exporter, "test.measured");
    let counts: Vec<_> = samples
        .iter()
        .map(|(error, count, _)| (error.as_str(), *count))
        .collect();
    assert_eq!(
        counts,
        [("address_refused", 1), ("circuit_open", 1), ("deadline", 1)]
    );
    assert!(samples[2].2 >= patience.as_secs_f64(), "{samples:?}");
}
