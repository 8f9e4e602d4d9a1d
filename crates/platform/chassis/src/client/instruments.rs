use std::time::Duration;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};
use tonic::Code;

const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

/// The metrics of calls to other services.
#[derive(Clone, Debug)]
pub(super) struct Instruments {
    duration: Histogram<f64>,
    retries: Counter<u64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            duration: meter
                .f64_histogram("rpc.client.duration")
                .with_unit("s")
                .with_description("Time from a call to the end of its answer, retries included.")
                .with_boundaries(BUCKETS.to_vec())
                .build(),
            retries: meter
                .u64_counter("rpc.client.retries")
                .with_description("Further tries of calls that found the callee unavailable.")
                .build(),
        }
    }

    pub(super) fn retried(&self, method: &str) {
        self.retries
            .add(1, &[KeyValue::new("rpc.method", method.to_owned())]);
    }

    pub(super) fn ended(&self, method: &str, elapsed: Duration, code: Code) {
        self.duration.record(
            elapsed.as_secs_f64(),
            &[
                KeyValue::new("rpc.method", method.to_owned()),
                KeyValue::new("rpc.grpc.status_code", i64::from(i32::from(code))),
            ],
        );
    }
}
