/// Why telemetry could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The OTLP exporter refused its settings.
    #[error("build the OTLP exporter")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// A value of `OTEL_EXPORTER_OTLP_HEADERS` cannot be a header.
    #[error("OTEL_EXPORTER_OTLP_HEADERS holds an invalid header")]
    Header,
    /// The collector's certificate authority.
    #[error("read OTEL_EXPORTER_OTLP_CERTIFICATE")]
    Certificate(#[source] std::io::Error),
    /// The registry behind `/metrics`.
    #[error("register the metrics exporter")]
    Metrics(#[source] opentelemetry_sdk::error::OTelSdkError),
    /// Something else installed a log subscriber before.
    #[error("logs are installed already")]
    Installed(#[source] tracing_subscriber::util::TryInitError),
    /// The filter text is wrong.
    #[error("log filter is not valid")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// This process's logs are not ours to change.
    #[error("logs are not managed here")]
    NotInstalled,
    /// The log subscriber is gone.
    #[error("change the log filter")]
    Reload(#[source] tracing_subscriber::reload::Error),
}
