//! The process-wide telemetry settings: standard variables without a service prefix. They are
//! read here and given to the libraries, because the OpenTelemetry SDK ignores several of them.

mod exporter;
mod reader;
mod reference;

use std::time::Duration;

use secrecy::SecretString;

pub(super) use exporter::{Exporter, Protocol};
use reader::Reader;
pub(crate) use reference::REFERENCE;

use crate::{
    Environment,
    config::{EnvSource, Problems},
};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFormat {
    Json,
    Pretty,
}

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sampler {
    /// Not said: everything if it goes somewhere, nothing otherwise.
    Default,
    AlwaysOn,
    AlwaysOff,
    Ratio(f64),
    ParentOr(Root),
}

/// What a parent-based sampler does without a parent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Root {
    On,
    Off,
    Ratio(f64),
}

/// Header formats that carry a trace from process to process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Propagator {
    TraceContext,
    Baggage,
}

/// Where error reports go.
#[derive(Clone, Debug)]
pub(super) struct SentrySettings {
    pub(super) dsn: SecretString,
    pub(super) release: String,
    pub(super) environment: String,
    pub(super) sample_rate: f32,
}

/// Telemetry settings of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) environment: Environment,
    pub(super) log_format: LogFormat,
    pub(super) log_filter: String,
    /// `OTEL_SDK_DISABLED`: no spans and no OTLP; logs and `/metrics` stay.
    pub(super) disabled: bool,
    pub(super) service_name: Option<String>,
    pub(super) resource: Vec<(String, String)>,
    pub(super) traces: Option<Exporter>,
    pub(super) metrics: Option<Exporter>,
    pub(super) metrics_interval: Duration,
    pub(super) sampler: Sampler,
    pub(super) propagators: Vec<Propagator>,
    pub(super) sentry: Option<SentrySettings>,
    /// Values that the standard allows and we do not have: said once, then ignored, as the
    /// OpenTelemetry specification asks.
    pub(super) warnings: Vec<String>,
}

impl Settings {
    /// Reads the standard variables; what cannot be understood goes to `problems`.
    pub fn read(env: &EnvSource, environment: Environment, problems: &mut Problems) -> Self {
        let mut reader = Reader::new(env, problems);
        let disabled = reader.flag("OTEL_SDK_DISABLED");
        Self {
            environment,
            log_format: log_format(&mut reader),
            log_filter: log_filter(&mut reader),
            disabled,
            service_name: reader.text("OTEL_SERVICE_NAME"),
            resource: reader.pairs("OTEL_RESOURCE_ATTRIBUTES"),
            traces: exporter::read(&mut reader, "TRACES", "traces").filter(|_| !disabled),
            metrics: exporter::read(&mut reader, "METRICS", "metrics").filter(|_| !disabled),
            metrics_interval: reader
                .milliseconds("OTEL_METRIC_EXPORT_INTERVAL")
                .unwrap_or(Duration::from_mins(1)),
            sampler: sampler(&mut reader),
            propagators: propagators(&mut reader),
            sentry: sentry(&mut reader, environment),
            warnings: {
                exporter::warn_about_logs(&mut reader);
                reader.into_warnings()
            },
        }
    }
}

fn log_format(reader: &mut Reader<'_>) -> LogFormat {
    use std::io::IsTerminal;
    match reader.choice("LOG_FORMAT", &["json", "pretty"]) {
        Some("json") => LogFormat::Json,
        Some(_) => LogFormat::Pretty,
        None if std::io::stdout().is_terminal() => LogFormat::Pretty,
        None => LogFormat::Json,
    }
}

fn log_filter(reader: &mut Reader<'_>) -> String {
    let name = if reader.is_set("RUST_LOG") {
        "RUST_LOG"
    } else {
        "LOG_LEVEL"
    };
    let filter = reader.text(name).unwrap_or_else(|| "info".to_owned());
    if tracing_subscriber::EnvFilter::try_new(&filter).is_err() {
        reader.problem(name, "not a log filter, like info or info,messaging=debug");
    }
    filter
}

fn sampler(reader: &mut Reader<'_>) -> Sampler {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let ratio = |reader: &mut Reader<'_>| match reader.number("OTEL_TRACES_SAMPLER_ARG") {
        Some(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(_) => {
            reader.problem("OTEL_TRACES_SAMPLER_ARG", "expected a ratio from 0 to 1");
            1.0
        }
        None => 1.0,
    };
    match reader.text(NAME).as_deref() {
        None => Sampler::Default,
        Some("always_on") => Sampler::AlwaysOn,
        Some("always_off") => Sampler::AlwaysOff,
        Some("traceidratio") => Sampler::Ratio(ratio(reader)),
        Some("parentbased_always_on") => Sampler::ParentOr(Root::On),
        Some("parentbased_always_off") => Sampler::ParentOr(Root::Off),
        Some("parentbased_traceidratio") => Sampler::ParentOr(Root::Ratio(ratio(reader))),
        Some("jaeger_remote" | "parentbased_jaeger_remote" | "xray") => {
            reader.warn(
                NAME,
                "this sampler is not built in; parentbased_always_on is used",
            );
            Sampler::ParentOr(Root::On)
        }
        Some(_) => {
            reader.problem(NAME, "unknown sampler");
            Sampler::Default
        }
    }
}

fn propagators(reader: &mut Reader<'_>) -> Vec<Propagator> {
    const NAME: &str = "OTEL_PROPAGATORS";
    let mut chosen = Vec::new();
    for name in reader
        .list(NAME)
        .unwrap_or_else(|| vec!["tracecontext".to_owned(), "baggage".to_owned()])
    {
        match name.as_str() {
            "tracecontext" => chosen.push(Propagator::TraceContext),
            "baggage" => chosen.push(Propagator::Baggage),
            "none" => return Vec::new(),
            _ => reader.warn(NAME, "only tracecontext and baggage are built in"),
        }
    }
    chosen
}

fn sentry(reader: &mut Reader<'_>, environment: Environment) -> Option<SentrySettings> {
    let dsn = reader.secret("SENTRY_DSN");
    let sample_rate = reader.number("SENTRY_SAMPLE_RATE").unwrap_or(1.0);
    if !(0.0..=1.0).contains(&sample_rate) {
        reader.problem("SENTRY_SAMPLE_RATE", "expected a ratio from 0 to 1");
    }
    let release = reader
        .text("SENTRY_RELEASE")
        .unwrap_or_else(|| format!("switchboard@{}", env!("CARGO_PKG_VERSION")));
    let name = reader
        .text("SENTRY_ENVIRONMENT")
        .unwrap_or_else(|| environment.name().to_owned());
    let dsn = dsn?;
    if !super::reports::is_dsn(&dsn) {
        reader.problem("SENTRY_DSN", "not a Sentry DSN");
        return None;
    }
    Some(SentrySettings {
        dsn,
        release,
        environment: name,
        #[expect(clippy::cast_possible_truncation, reason = "a ratio from 0 to 1")]
        sample_rate: sample_rate as f32,
    })
}

#[cfg(test)]
mod tests;
