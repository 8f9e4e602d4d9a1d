//! One trace crosses to the other side.

use http::Method;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::server::{client, quick, url};

#[tokio::test]
async fn the_other_side_sees_the_callers_trace() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let client = client(quick());
    let caller = tracing::info_span!("caller");
    let trace = caller.context().span().span_context().trace_id();
    async {
        let call = client.request("test.get", Method::GET, url(&server.uri()));
        call.send().await.expect("an answer");
    }
    .instrument(caller)
    .await;
    let requests = server.received_requests().await.expect("recorded");
    let traceparent = requests[0].headers["traceparent"].to_str().expect("text");
    assert_eq!(
        traceparent.split('-').nth(1),
        Some(trace.to_string().as_str())
    );
}
