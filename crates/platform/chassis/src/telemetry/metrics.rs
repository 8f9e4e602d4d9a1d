use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
};
use prometheus::{Registry, TextEncoder};

use super::{Settings, TelemetryError, otlp};

/// The metrics of a process: scraped at `/metrics`, and pushed if an endpoint is configured.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    provider: SdkMeterProvider,
}

impl Metrics {
    pub(super) fn build(settings: &Settings, resource: Resource) -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let scraped = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .build()
            .map_err(TelemetryError::Metrics)?;
        let mut provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(scraped);
        if let Some(exporter) = &settings.metrics {
            let reader = PeriodicReader::builder(otlp::metric_exporter(exporter)?)
                .with_interval(settings.metrics_interval)
                .build();
            provider = provider.with_reader(reader);
        }
        let metrics = Self {
            registry,
            provider: provider.build(),
        };
        metrics.observe_process();
        Ok(metrics)
    }

    /// Metrics that are scraped only, and no export that could fail.
    pub(super) fn local() -> Self {
        let registry = Registry::new();
        let scraped = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let mut provider = SdkMeterProvider::builder();
        // Registering with a registry that holds nothing cannot clash.
        if let Ok(reader) = scraped.build() {
            provider = provider.with_reader(reader);
        }
        let provider = provider.build();
        Self { registry, provider }
    }

    pub(super) fn provider(&self) -> &SdkMeterProvider {
        &self.provider
    }

    pub(super) fn render(&self) -> String {
        let families = self.registry.gather();
        TextEncoder::new()
            .encode_to_string(&families)
            .unwrap_or_else(|error| {
                tracing::error!(error = %error, "metrics could not be rendered");
                String::new()
            })
    }

    /// What the process itself uses. Linux only; elsewhere the gauges stay silent.
    fn observe_process(&self) {
        let meter = self.provider.meter("process");
        // The provider keeps the callbacks; the handles are not needed.
        let _memory = meter
            .u64_observable_gauge("process.memory.usage")
            .with_unit("By")
            .with_description("Memory in use (resident set).")
            .with_callback(|gauge| {
                if let Some(bytes) = resident_bytes() {
                    gauge.observe(bytes, &[]);
                }
            })
            .build();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let _tasks = meter
            .u64_observable_gauge("tokio.tasks.alive")
            .with_description("Tasks alive in the runtime.")
            .with_callback(move |gauge| {
                gauge.observe(runtime.metrics().num_alive_tasks() as u64, &[]);
            })
            .build();
    }
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
