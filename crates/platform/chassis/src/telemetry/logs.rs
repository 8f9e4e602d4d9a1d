//! Log lines, and the layers that turn spans into traces and errors into reports.

mod json;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sentry::integrations::tracing::ErrorLayer;
use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, FilterFn, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use super::{Settings, TelemetryError, settings::LogFormat};
use crate::tasks;

/// The AMQP client prints bodies of messages, which are personal data, and no filter may ask for
/// that. What it has to say, the bus says.
const NEVER_SAID: &str = "lapin";

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

/// Lets everything pass but what may never be said, as a line, a report or an event of a span. It says that it has no opinion about levels,
/// for a filter that does not would switch on every callsite of the program.
fn sayable() -> FilterFn {
    let not_said: fn(&Metadata<'_>) -> bool = |metadata| !is_of(metadata.target(), NEVER_SAID);
    filter_fn(not_said).with_max_level_hint(LevelFilter::TRACE)
}

fn is_of(target: &str, library: &str) -> bool {
    target
        .strip_prefix(library)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
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
    let exported = LevelFilter::INFO
        .and(filter_fn(|span| span.target() != tasks::SPAN_TARGET))
        .and(sayable());
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
        .then(|| ErrorLayer::new().with_filter(LevelFilter::ERROR.and(sayable())));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.and(sayable())))
        .with(spans)
        .with(reports)
        .try_init()
        .map_err(TelemetryError::Installed)?;
    Ok(Level(handle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_known_by_its_targets_and_not_by_a_likeness() {
        assert!(is_of("lapin", NEVER_SAID) && is_of("lapin::channels", NEVER_SAID));
        assert!(!is_of("lapinette", NEVER_SAID) && !is_of("bus::lapin", NEVER_SAID));
    }
}
