/// The variables read here, each with its meaning: part of `config schema`.
pub(crate) const REFERENCE: &[(&str, &str)] = &[
    (
        "SWITCHBOARD_ENV",
        "`development` or `production` (default): where to listen, how to stop.",
    ),
    (
        "LOG_FORMAT",
        "`json` or `pretty`; pretty on a terminal, json otherwise.",
    ),
    (
        "RUST_LOG",
        "Log filter, like `info,messaging=debug`; `LOG_LEVEL` means the same. Default `info`.",
    ),
    ("OTEL_SDK_DISABLED", "`true`: no spans, no OTLP."),
    (
        "OTEL_SERVICE_NAME",
        "Name in traces and metrics instead of the service's own.",
    ),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "Further attributes, `key=value,…`, percent-encoded.",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Collector; also `…_TRACES_ENDPOINT`, `…_METRICS_ENDPOINT`. Without one nothing is sent.",
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "`grpc` (default) or `http/protobuf`; also per signal.",
    ),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Headers for the collector, `key=value,…`; also per signal, and `…_FILE`. Secret.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "Milliseconds per export; default 10000; also per signal.",
    ),
    (
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "`gzip` or `none`; also per signal.",
    ),
    (
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "PEM file of the collector's certificate authority (gRPC); also per signal.",
    ),
    (
        "OTEL_EXPORTER_OTLP_INSECURE",
        "`true`: an endpoint without a scheme is plain text (gRPC).",
    ),
    ("OTEL_TRACES_EXPORTER", "`otlp` (default) or `none`."),
    (
        "OTEL_METRICS_EXPORTER",
        "`otlp` (default), `prometheus` or `none`; `/metrics` is always there.",
    ),
    (
        "OTEL_METRIC_EXPORT_INTERVAL",
        "Milliseconds between exports; default 60000.",
    ),
    (
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "Milliseconds one export may take.",
    ),
    (
        "OTEL_TRACES_SAMPLER",
        "`always_on`, `always_off`, `traceidratio`, or `parentbased_` and one of them.",
    ),
    ("OTEL_TRACES_SAMPLER_ARG", "The ratio, 0 to 1."),
    (
        "OTEL_PROPAGATORS",
        "`tracecontext`, `baggage`, `none`; the first two by default.",
    ),
    (
        "OTEL_BSP_*, OTEL_SPAN_*_LIMIT",
        "Batching and limits, as the SDK reads them.",
    ),
    (
        "SENTRY_DSN",
        "Where errors are reported; also `SENTRY_DSN_FILE`. Secret.",
    ),
    (
        "SENTRY_ENVIRONMENT, SENTRY_RELEASE, SENTRY_SAMPLE_RATE",
        "As Sentry defines them.",
    ),
];
