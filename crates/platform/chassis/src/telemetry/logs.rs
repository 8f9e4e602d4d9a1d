//! Log lines, and the layers that turn spans into traces and errors into reports.

mod json;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sentry::integrations::tracing::ErrorLayer;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use super::{Settings, TelemetryError, settings::LogFormat};
use crate::tasks;

/// The log filter, which can be changed while the process runs.
#[derive(Clone, Debug)]
pub(super) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    pub(super) fn current(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }

    pub(super) fn set(&self, filter: &str) -> Result<(), TelemetryError> {
        let filter = EnvFilter::try_new(filter).map_err(TelemetryError::Filter)?;
        self.0.reload(filter).map_err(TelemetryError::Reload)
    }
}

/// Installs the subscriber of the process.
pub(super) fn install(
    settings: &Settings,
    service: &str,
    traces: Option<&SdkTracerProvider>,
) -> Result<Level, TelemetryError> {
    let filter = EnvFilter::try_new(&settings.log_filter).map_err(TelemetryError::Filter)?;
    let (filter, handle) = reload::Layer::new(filter);
    let lines = match settings.log_format {
        LogFormat::Json => fmt::layer()
            .fmt_fields(fmt::format::JsonFields::new())
            .event_format(json::Lines::of(service))
            .boxed(),
        LogFormat::Pretty => fmt::layer().with_target(true).boxed(),
    };
    // Spans of our own code and of the servers; those of libraries are noise in a trace. Task
    // spans last as long as the process.
    let exported = LevelFilter::INFO.and(filter_fn(|span| span.target() != tasks::SPAN_TARGET));
    let spans = traces.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("switchboard"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(exported)
    });
    // Errors only: breadcrumbs are kept per thread, and would show one request's in another's
    // report.
    let reports = settings
        .sentry
        .is_some()
        .then(|| ErrorLayer::new().with_filter(LevelFilter::ERROR));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans)
        .with(reports)
        .try_init()
        .map_err(TelemetryError::Installed)?;
    Ok(Level(handle))
}
