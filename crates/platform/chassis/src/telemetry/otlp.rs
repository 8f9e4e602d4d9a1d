//! The exporters, built from [`Settings`] alone: what the SDK would read from the environment by
//! itself is given to it explicitly, so that tests and file secrets work.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_otlp::{
    Compression, MetricExporter, Protocol as Wire, SpanExporter, WithExportConfig, WithHttpConfig,
    WithTonicConfig,
    tonic_types::{
        metadata::MetadataMap,
        transport::{Certificate, ClientTlsConfig},
    },
};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler as SdkSampler, SdkTracerProvider},
};
use secrecy::ExposeSecret;

use super::{
    Settings, TelemetryError,
    settings::{Exporter, Protocol, Root, Sampler},
};

/// The tracer provider; `None` if the SDK is disabled. Without an exporter it still makes trace
/// ids, for log lines and for callees.
pub(super) fn traces(
    settings: &Settings,
    resource: Resource,
) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    if settings.disabled {
        return Ok(None);
    }
    let mut provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler(settings.sampler, settings.traces.is_some()));
    if let Some(exporter) = &settings.traces {
        provider = provider.with_batch_exporter(span_exporter(exporter)?);
    }
    Ok(Some(provider.build()))
}

fn sampler(sampler: Sampler, exported: bool) -> SdkSampler {
    let parent_or = |root| SdkSampler::ParentBased(Box::new(root));
    match sampler {
        Sampler::Default if exported => parent_or(SdkSampler::AlwaysOn),
        Sampler::Default | Sampler::ParentOr(Root::Off) => parent_or(SdkSampler::AlwaysOff),
        Sampler::AlwaysOn => SdkSampler::AlwaysOn,
        Sampler::AlwaysOff => SdkSampler::AlwaysOff,
        Sampler::Ratio(ratio) => SdkSampler::TraceIdRatioBased(ratio),
        Sampler::ParentOr(Root::On) => parent_or(SdkSampler::AlwaysOn),
        Sampler::ParentOr(Root::Ratio(ratio)) => parent_or(SdkSampler::TraceIdRatioBased(ratio)),
    }
}

fn span_exporter(exporter: &Exporter) -> Result<SpanExporter, TelemetryError> {
    let builder = SpanExporter::builder();
    match exporter.protocol {
        Protocol::Grpc => over_grpc(builder.with_tonic(), exporter)?.build(),
        Protocol::Http => over_http(builder.with_http(), exporter).build(),
    }
    .map_err(TelemetryError::Exporter)
}

pub(super) fn metric_exporter(exporter: &Exporter) -> Result<MetricExporter, TelemetryError> {
    let builder = MetricExporter::builder();
    match exporter.protocol {
        Protocol::Grpc => over_grpc(builder.with_tonic(), exporter)?.build(),
        Protocol::Http => over_http(builder.with_http(), exporter).build(),
    }
    .map_err(TelemetryError::Exporter)
}

fn over_grpc<B>(builder: B, exporter: &Exporter) -> Result<B, TelemetryError>
where
    B: WithExportConfig + WithTonicConfig,
{
    let mut headers = HeaderMap::new();
    for (name, value) in &exporter.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| TelemetryError::Header)?;
        let mut value =
            HeaderValue::try_from(value.expose_secret()).map_err(|_| TelemetryError::Header)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let mut builder = builder
        .with_endpoint(exporter.endpoint.clone())
        .with_timeout(exporter.timeout)
        .with_metadata(MetadataMap::from_headers(headers));
    if exporter.gzip {
        builder = builder.with_compression(Compression::Gzip);
    }
    if exporter.endpoint.starts_with("https:") {
        let mut tls = ClientTlsConfig::new().with_native_roots();
        if let Some(path) = &exporter.certificate {
            let pem = std::fs::read(path).map_err(TelemetryError::Certificate)?;
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        builder = builder.with_tls_config(tls);
    }
    Ok(builder)
}

fn over_http<B>(builder: B, exporter: &Exporter) -> B
where
    B: WithExportConfig + WithHttpConfig,
{
    let headers: HashMap<String, String> = exporter
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
        .collect();
    let builder = builder
        .with_endpoint(exporter.endpoint.clone())
        .with_protocol(Wire::HttpBinary)
        .with_timeout(exporter.timeout)
        .with_headers(headers);
    if exporter.gzip {
        builder.with_compression(Compression::Gzip)
    } else {
        builder
    }
}
