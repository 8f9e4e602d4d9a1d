//! Logs, traces, metrics and error reports of a process.
//!
//! Logs are JSON lines on standard output with `trace_id` and `span_id`. Traces and metrics go to
//! an OTLP collector once an endpoint is configured, by the standard `OTEL_*` variables. Metrics
//! are always there to be scraped, too. Errors go to Sentry if `SENTRY_DSN` is set.

mod error;
mod logs;
mod metrics;
mod otlp;
pub(crate) mod propagation;
pub(crate) mod redact;
mod reports;
mod resource;
mod settings;

use std::{sync::Arc, time::Duration};

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};

pub use error::TelemetryError;
pub(crate) use reports::start as start_reports;
pub(crate) use settings::REFERENCE;
pub use settings::Settings;

/// How long sending the rest may take when the process ends.
const FLUSH: Duration = Duration::from_secs(3);

/// The telemetry of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metrics: metrics::Metrics,
    traces: Option<SdkTracerProvider>,
    level: Option<logs::Level>,
}

impl Telemetry {
    /// Installs logs, traces and metrics for the whole process. Must run inside a Tokio runtime,
    /// because the exporters use it.
    ///
    /// # Errors
    /// If an exporter cannot be built, or telemetry is installed already.
    pub fn install(settings: &Settings, service: &str) -> Result<Self, TelemetryError> {
        let resource = resource::resource(settings, service);
        let metrics = metrics::Metrics::build(settings, resource.clone())?;
        let traces = otlp::traces(settings, resource)?;
        propagation::install(settings);
        let level = logs::install(settings, service, traces.as_ref())?;
        opentelemetry::global::set_meter_provider(metrics.provider().clone());
        if let Some(provider) = &traces {
            opentelemetry::global::set_tracer_provider(provider.clone());
        }
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        Ok(Self(Arc::new(Inner {
            metrics,
            traces,
            level: Some(level),
        })))
    }

    /// Metrics only, and not for the whole process: for tests, which run side by side.
    pub fn local() -> Self {
        Self(Arc::new(Inner {
            metrics: metrics::Metrics::local(),
            traces: None,
            level: None,
        }))
    }

    /// Where a part of the process gets its instruments; `scope` is a service or crate name.
    pub fn meter(&self, scope: &'static str) -> Meter {
        self.meters().meter(scope)
    }

    fn meters(&self) -> &SdkMeterProvider {
        self.0.metrics.provider()
    }

    /// All metrics in the Prometheus text format.
    pub fn render_metrics(&self) -> String {
        self.0.metrics.render()
    }

    /// The log filter in force; `None` if this process's logs are not ours.
    pub(crate) fn log_level(&self) -> Option<String> {
        self.0.level.as_ref().map(logs::Level::current)
    }

    /// Replaces the log filter: `info`, or `info,messaging=debug`.
    pub(crate) fn set_log_level(&self, filter: &str) -> Result<(), TelemetryError> {
        match &self.0.level {
            Some(level) => level.set(filter),
            None => Err(TelemetryError::NotInstalled),
        }
    }

    /// Sends what has not been sent. Called once, whatever happened before.
    pub(crate) async fn flush(&self) {
        let meters = self.meters().clone();
        let traces = self.0.traces.clone();
        // The exporters block while they wait for the collector.
        let sending = tokio::task::spawn_blocking(move || {
            let traces = traces.map(|traces| traces.shutdown_with_timeout(FLUSH));
            let metrics = meters.shutdown_with_timeout(FLUSH);
            [traces, Some(metrics)]
        });
        match tokio::time::timeout(FLUSH * 2, sending).await {
            Ok(Ok(results)) => {
                for error in results.into_iter().flatten().filter_map(Result::err) {
                    tracing::warn!(
                        error = errors::chain(&error),
                        "telemetry could not be flushed"
                    );
                }
            }
            Ok(Err(error)) => tracing::warn!(
                error = errors::chain(&error),
                "telemetry could not be flushed"
            ),
            Err(_) => tracing::warn!("telemetry could not be flushed in time"),
        }
    }
}
