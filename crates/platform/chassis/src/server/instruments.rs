use opentelemetry::{
    KeyValue,
    metrics::{Histogram, Meter, UpDownCounter},
};

/// Seconds; from what a cache answers to what a person gives up on.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The request metrics of one service, named as OpenTelemetry's conventions have it. Rate and
/// errors are read off the histogram's count by its labels.
#[derive(Clone, Debug)]
pub(crate) struct Instruments {
    http: Histogram<f64>,
    grpc: Histogram<f64>,
    active: UpDownCounter<i64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, text: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(text)
                .with_boundaries(BUCKETS.to_vec())
                .build()
        };
        Self {
            http: seconds(
                "http.server.request.duration",
                "Time from a request's headers to the end of the answer.",
            ),
            grpc: seconds(
                "rpc.server.duration",
                "Time from a call's headers to the end of the answer.",
            ),
            active: meter
                .i64_up_down_counter("server.active_requests")
                .with_description("Requests being answered.")
                .build(),
        }
    }

    pub(super) fn started(&self, protocol: &'static str) {
        self.active.add(1, &[KeyValue::new("protocol", protocol)]);
    }

    pub(super) fn ended(&self, protocol: &'static str) {
        self.active.add(-1, &[KeyValue::new("protocol", protocol)]);
    }

    pub(super) fn http(&self, seconds: f64, method: &'static str, route: String, status: u16) {
        self.http.record(
            seconds,
            &[
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route),
                KeyValue::new("http.response.status_code", i64::from(status)),
            ],
        );
    }

    pub(super) fn grpc(&self, seconds: f64, method: String, code: tonic::Code) {
        self.grpc.record(
            seconds,
            &[
                KeyValue::new("rpc.method", method),
                KeyValue::new("rpc.grpc.status_code", i64::from(i32::from(code))),
            ],
        );
    }
}
