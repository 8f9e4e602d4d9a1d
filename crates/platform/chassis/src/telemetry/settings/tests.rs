use super::*;

fn read<const N: usize>(variables: [(&str, &str); N]) -> (Settings, Vec<String>) {
    let mut problems = Problems::default();
    let env = EnvSource::from(variables);
    let settings = Settings::read(&env, Environment::Production, &mut problems);
    let problems = problems.iter().map(ToString::to_string).collect();
    (settings, problems)
}

fn read_well<const N: usize>(variables: [(&str, &str); N]) -> Settings {
    let (settings, problems) = read(variables);
    assert_eq!(problems, [""; 0]);
    settings
}

#[test]
fn nothing_is_exported_without_an_endpoint() {
    let settings = read_well([]);
    assert!(settings.traces.is_none() && settings.metrics.is_none());
    assert!(settings.sentry.is_none() && settings.warnings.is_empty());
    assert_eq!(settings.propagators.len(), 2);
}

#[test]
fn an_exporter_asked_for_by_name_goes_to_the_standard_address() {
    let settings = read_well([("OTEL_TRACES_EXPORTER", "otlp")]);
    let traces = settings.traces.expect("asked for");
    assert_eq!(traces.endpoint, "http://localhost:4317");
    assert!(settings.metrics.is_none());
}

#[test]
fn each_signal_may_have_its_own_collector() {
    let settings = read_well([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://shared:4318/"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://own:4318/x"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Authorization=Bearer%20abc,x=y",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "9000"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "700"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ]);
    let traces = settings.traces.expect("has an endpoint");
    assert_eq!(traces.endpoint, "http://shared:4318/v1/traces");
    assert_eq!(traces.headers[0].0, "authorization");
    assert!(traces.gzip);
    let metrics = settings.metrics.expect("has an endpoint");
    assert_eq!(metrics.endpoint, "http://own:4318/x");
    assert_eq!(metrics.timeout, Duration::from_millis(700));
    assert!(
        !format!("{metrics:?}").contains("abc"),
        "headers are secret"
    );
}

#[test]
fn an_address_without_a_scheme_is_encrypted_unless_said_otherwise() {
    let endpoint = |insecure: &'static str| {
        let settings = read_well([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_INSECURE", insecure),
        ]);
        settings.traces.expect("has an endpoint").endpoint
    };
    assert_eq!(endpoint("false"), "https://collector:4317");
    assert_eq!(endpoint("true"), "http://collector:4317");
}

#[test]
fn variables_that_the_sdk_ignores_are_honoured() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
    let settings = read_well([collector, ("OTEL_SDK_DISABLED", "true")]);
    assert!(settings.disabled && settings.traces.is_none() && settings.metrics.is_none());
    let settings = read_well([
        collector,
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_PROPAGATORS", "tracecontext"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb, region = my"),
    ]);
    assert!(settings.traces.is_none() && settings.metrics.is_none());
    assert_eq!(settings.propagators, [Propagator::TraceContext]);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        settings.resource,
        [pair("team", "a,b"), pair("region", "my")]
    );
    assert!(
        read_well([("OTEL_PROPAGATORS", "none")])
            .propagators
            .is_empty()
    );
}

#[test]
fn samplers_are_read_with_their_ratio() {
    let sampler = |name: &'static str, ratio: &'static str| {
        read_well([
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ])
        .sampler
    };
    assert_eq!(sampler("traceidratio", "0.25"), Sampler::Ratio(0.25));
    assert_eq!(
        sampler("parentbased_traceidratio", ""),
        Sampler::ParentOr(Root::Ratio(1.0))
    );
    assert_eq!(read_well([]).sampler, Sampler::Default);
}

#[test]
fn what_the_standard_allows_and_we_lack_is_a_warning() {
    let settings = read_well([
        ("OTEL_PROPAGATORS", "b3,tracecontext,jaeger"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
    ]);
    assert_eq!(settings.warnings.len(), 4, "{:?}", settings.warnings);
}

#[test]
fn what_cannot_be_understood_is_a_problem_without_its_value() {
    let (_, problems) = read([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2://x"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "hunter2"),
        ("OTEL_TRACES_SAMPLER", "hunter2"),
        ("OTEL_RESOURCE_ATTRIBUTES", "hunter2"),
        ("OTEL_SDK_DISABLED", "hunter2"),
        ("LOG_FORMAT", "hunter2"),
        ("RUST_LOG", "hunter2=hunter2=hunter2"),
        ("SENTRY_DSN", "hunter2"),
        ("SENTRY_SAMPLE_RATE", "2"),
    ]);
    assert!(!problems.join(" ").contains("hunter2"), "{problems:?}");
    // The endpoint is wrong for both signals.
    assert_eq!(problems.len(), 10, "{problems:#?}");
}

#[test]
fn an_error_tracker_is_configured_by_its_standard_variables() {
    let settings = read_well([
        ("SENTRY_DSN", "https://key@sentry.example/1"),
        ("SENTRY_ENVIRONMENT", "staging"),
    ]);
    let sentry = settings.sentry.expect("has a DSN");
    assert_eq!(sentry.environment, "staging");
    assert!(sentry.release.starts_with("switchboard@"));
    assert!(!format!("{sentry:?}").contains("key@"));
}
