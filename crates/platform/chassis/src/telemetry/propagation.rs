//! Trace context in headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapCompositePropagator, TextMapPropagator},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{Settings, settings::Propagator};

pub(super) fn install(settings: &Settings) {
    let chosen: Vec<Box<dyn TextMapPropagator + Send + Sync>> = settings
        .propagators
        .iter()
        .map(|propagator| -> Box<dyn TextMapPropagator + Send + Sync> {
            match propagator {
                Propagator::TraceContext => Box::new(TraceContextPropagator::new()),
                Propagator::Baggage => Box::new(BaggagePropagator::new()),
            }
        })
        .collect();
    opentelemetry::global::set_text_map_propagator(TextMapCompositePropagator::new(chosen));
}

/// Makes the caller's span the parent of `span`.
pub(crate) fn continue_from(headers: &HeaderMap, span: &Span) {
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator
            .fields()
            .any(|name| headers.contains_key(name))
            .then(|| propagator.extract_with_context(&Context::new(), &Incoming(headers)))
    });
    if let Some(parent) = parent
        && let Err(error) = span.set_parent(parent)
    {
        tracing::debug!(error = %error, "trace context not continued");
    }
}

/// Tells the callee which span called it.
pub(crate) fn inject(span: &Span, headers: &mut HeaderMap) {
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&span.context(), &mut Outgoing(headers));
    });
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::try_from(key);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
