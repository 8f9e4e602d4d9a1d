use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::reader::{Reader, pairs};

/// The specification's default.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::telemetry) enum Protocol {
    Grpc,
    Http,
}

/// How one signal reaches the collector.
#[derive(Clone, Debug)]
pub(in crate::telemetry) struct Exporter {
    pub(in crate::telemetry) endpoint: String,
    pub(in crate::telemetry) protocol: Protocol,
    pub(in crate::telemetry) headers: Vec<(String, SecretString)>,
    pub(in crate::telemetry) timeout: Duration,
    pub(in crate::telemetry) gzip: bool,
    pub(in crate::telemetry) certificate: Option<PathBuf>,
}

/// Reads the exporter of a signal; `None` if it is turned off or has no endpoint. `signal` is the
/// part of the variable names, `path` that of the HTTP path.
pub(super) fn read(reader: &mut Reader<'_>, signal: &str, path: &str) -> Option<Exporter> {
    let chosen = chosen(reader, &format!("OTEL_{signal}_EXPORTER"))?;
    let protocol = protocol(reader, signal);
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    let shared = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let (name, endpoint, is_own) = match (reader.text(&own), reader.text(shared)) {
        (Some(endpoint), _) => (own.as_str(), endpoint, true),
        (None, Some(endpoint)) => (shared, endpoint, false),
        // Asked for by name, so the specification's default applies.
        (None, None) if chosen == Chosen::ByName => match protocol {
            Protocol::Grpc => (shared, "http://localhost:4317".to_owned(), false),
            Protocol::Http => (shared, "http://localhost:4318".to_owned(), false),
        },
        (None, None) => return None,
    };
    let endpoint = with_scheme(reader, signal, protocol, endpoint);
    if !is_address(&endpoint) {
        reader.problem(name, "expected an http:// or https:// address");
        return None;
    }
    let endpoint = match protocol {
        // The shared address is a base; one for a single signal is taken as it is.
        Protocol::Http if !is_own => format!("{}/v1/{path}", endpoint.trim_end_matches('/')),
        _ => endpoint,
    };
    let name = either(reader, signal, "COMPRESSION");
    let gzip = reader.choice(&name, &["gzip", "none"]) == Some("gzip");
    let certificate = either(reader, signal, "CERTIFICATE");
    Some(Exporter {
        endpoint,
        protocol,
        headers: headers(reader, signal),
        timeout: timeout(reader, signal),
        gzip,
        certificate: reader.text(&certificate).map(PathBuf::from),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chosen {
    ByDefault,
    ByName,
}

fn chosen(reader: &mut Reader<'_>, name: &str) -> Option<Chosen> {
    let Some(names) = reader.list(name) else {
        return Some(Chosen::ByDefault);
    };
    let mut chosen = None;
    for exporter in names {
        match exporter.as_str() {
            "otlp" => chosen = Some(Chosen::ByName),
            // Prometheus is always on, at /metrics.
            "none" | "prometheus" => {}
            _ => reader.warn(name, "only otlp, prometheus and none are built in"),
        }
    }
    chosen
}

/// The name of the signal's own variable if it is set, else of the shared one.
fn either(reader: &Reader<'_>, signal: &str, setting: &str) -> String {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_{setting}");
    if reader.is_set(&own) {
        own
    } else {
        format!("OTEL_EXPORTER_OTLP_{setting}")
    }
}

fn protocol(reader: &mut Reader<'_>, signal: &str) -> Protocol {
    let name = either(reader, signal, "PROTOCOL");
    match reader.text(&name).as_deref() {
        None | Some("grpc") => Protocol::Grpc,
        Some("http/protobuf") => Protocol::Http,
        Some("http/json") => {
            reader.warn(&name, "http/json is not built in; http/protobuf is used");
            Protocol::Http
        }
        Some(_) => {
            reader.problem(&name, "expected one of: grpc, http/protobuf");
            Protocol::Grpc
        }
    }
}

fn with_scheme(
    reader: &mut Reader<'_>,
    signal: &str,
    protocol: Protocol,
    endpoint: String,
) -> String {
    if endpoint.contains("://") || protocol == Protocol::Http {
        return endpoint;
    }
    let name = either(reader, signal, "INSECURE");
    let scheme = if reader.flag(&name) { "http" } else { "https" };
    format!("{scheme}://{endpoint}")
}

fn is_address(endpoint: &str) -> bool {
    endpoint
        .parse::<http::Uri>()
        .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}

fn headers(reader: &mut Reader<'_>, signal: &str) -> Vec<(String, SecretString)> {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_HEADERS");
    let has_own = reader.is_set(&own) || reader.is_set(&format!("{own}_FILE"));
    let name = if has_own {
        own.as_str()
    } else {
        "OTEL_EXPORTER_OTLP_HEADERS"
    };
    let Some(text) = reader.secret(name) else {
        return Vec::new();
    };
    let Some(pairs) = pairs(text.expose_secret()) else {
        reader.problem(name, "expected key=value,key=value");
        return Vec::new();
    };
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_lowercase(), value.into()))
        .collect()
}

fn timeout(reader: &mut Reader<'_>, signal: &str) -> Duration {
    let name = either(reader, signal, "TIMEOUT");
    let timeout = reader.milliseconds(&name).unwrap_or(TIMEOUT);
    if signal != "METRICS" {
        return timeout;
    }
    let export = reader.milliseconds("OTEL_METRIC_EXPORT_TIMEOUT");
    export.map_or(timeout, |export| export.min(timeout))
}

/// Logs go to standard output; who expects them at the collector should hear that.
pub(super) fn warn_about_logs(reader: &mut Reader<'_>) {
    let wanted = reader.list("OTEL_LOGS_EXPORTER").unwrap_or_default();
    if wanted.iter().any(|exporter| exporter != "none") {
        reader.warn("OTEL_LOGS_EXPORTER", "logs go to standard output only");
    }
}
