//! Trace context across the broker: the context of the operation that wrote an event travels in a
//! header, and the consumer's spans refer to it.

use std::collections::HashMap;

use opentelemetry::{Context, global, propagation::Extractor, trace::TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{Delivery, names::header};

struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == header::TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![header::TRACEPARENT]
    }
}

/// The context named by a `traceparent`; an empty one if there is none or it is malformed.
pub(crate) fn remote_context(traceparent: Option<&str>) -> Context {
    match traceparent {
        Some(text) => global::get_text_map_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), &Traceparent(text))
        }),
        None => Context::new(),
    }
}

/// The `traceparent` of the current span, for an event that is being written; `None` outside a
/// recorded trace.
pub fn current_traceparent() -> Option<String> {
    let mut carrier = HashMap::new();
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    carrier.remove(header::TRACEPARENT)
}

/// Ties a batch to the traces of its events. A batch of one continues its event's trace; a larger
/// one is a trace of its own with a link to each.
pub(crate) fn tie(span: &Span, batch: &[Delivery]) {
    if let [only] = batch {
        let parent = remote_context(only.envelope.traceparent.as_deref());
        if parent.span().span_context().is_valid() {
            // Fails only where no OpenTelemetry layer is installed: then there is nothing to tie.
            let _untraced = span.set_parent(parent);
        }
        return;
    }
    for delivery in batch {
        let context = remote_context(delivery.envelope.traceparent.as_deref());
        let span_context = context.span().span_context().clone();
        if span_context.is_valid() {
            span.add_link(span_context);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TracerProvider as _};
    use opentelemetry_sdk::{
        propagation::TraceContextPropagator,
        trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
    };
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::Envelope;

    fn traced(trace_id: &str) -> Delivery {
        Delivery {
            envelope: Envelope {
                event_id: ids::EventId::generate_at(1),
                event_type: "t.v1.Happened".to_owned(),
                organization_id: None,
                key: String::new(),
                occurred_at: chrono::DateTime::UNIX_EPOCH,
                traceparent: Some(format!("00-{trace_id}-b7ad6b7169203331-01")),
                causation_id: None,
                actor: None,
                aggregate_version: None,
            },
            exchange: String::new(),
            routing_key: String::new(),
            payload: Vec::new(),
            attempts: 0,
        }
    }

    fn spans(work: impl FnOnce()) -> Vec<SpanData> {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        exporter.get_finished_spans().expect("spans")
    }

    const ONE: &str = "0af7651916cd43dd8448eb211c80319c";
    const OTHER: &str = "1af7651916cd43dd8448eb211c80319d";

    #[test]
    fn the_work_on_one_event_is_in_the_trace_that_wrote_it_and_so_is_what_it_writes() {
        let mut written = None;
        let spans = spans(|| {
            let span = tracing::info_span!("consume");
            tie(&span, &[traced(ONE)]);
            span.in_scope(|| written = current_traceparent());
        });
        assert_eq!(spans[0].span_context.trace_id().to_string(), ONE);
        assert_eq!(
            spans[0].parent_span_id,
            SpanId::from_hex("b7ad6b7169203331").expect("an id")
        );
        assert!(written.is_some_and(|written| written.contains(ONE)));
    }

    #[test]
    fn the_work_on_several_events_links_to_each_of_their_traces() {
        let spans = spans(|| {
            let span = tracing::info_span!("consume");
            tie(&span, &[traced(ONE), traced(OTHER), traced("garbage")]);
        });
        let mut linked: Vec<String> = spans[0]
            .links
            .iter()
            .map(|link| link.span_context.trace_id().to_string())
            .collect();
        linked.sort();
        assert_eq!(linked, [ONE, OTHER]);
    }

    #[test]
    fn outside_a_trace_nothing_is_written() {
        assert_eq!(current_traceparent(), None);
    }
}
