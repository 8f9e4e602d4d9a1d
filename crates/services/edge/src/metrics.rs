//! What an operator sees of intake.

use std::{fmt, sync::Arc, time::Duration};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};

/// Up to what a batch may be; `intake.batch_max` is 256 unless somebody changes it.
const BATCH_SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

#[derive(Clone)]
pub(crate) struct Metrics {
    webhooks: Counter<u64>,
    batch_size: Histogram<u64>,
    batch_seconds: Histogram<f64>,
}

/// Whom an address is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The name of a configured Meta app, never what a caller invented.
    WhatsApp(Arc<str>),
    Resend,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Stored, answered with 200.
    Stored,
    /// Received before, answered with 200.
    Repeated,
    /// Its signature was missing or wrong.
    Unsigned,
    /// Its body was too large, too slow, compressed or broken off.
    Unreadable,
    /// Turned away at a limit.
    Crowded,
    /// Came while the service stopped: the sender was told to come again.
    Stopping,
    /// Not stored: the sender was told to come again.
    Failed,
}

impl Fate {
    const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Repeated => "repeated",
            Self::Unsigned => "unsigned",
            Self::Unreadable => "unreadable",
            Self::Crowded => "crowded",
            Self::Stopping => "stopping",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            webhooks: meter
                .u64_counter("edge.webhooks")
                .with_description(
                    "Webhook requests, by provider, app and outcome; alert on `failed` and on `unsigned`",
                )
                .build(),
            batch_size: meter
                .u64_histogram("edge.batch.size")
                .with_description("Webhooks stored in one transaction")
                .with_boundaries(BATCH_SIZES.to_vec())
                .build(),
            batch_seconds: meter
                .f64_histogram("edge.batch.duration")
                .with_unit("s")
                .with_description("Time for storing one batch, commit included")
                .build(),
        }
    }

    pub(crate) fn webhook(&self, provider: Provider, fate: Fate) {
        let (provider, app) = match provider {
            Provider::WhatsApp(app) => ("whatsapp", app),
            Provider::Resend => ("resend", Arc::default()),
        };
        let labels = [
            KeyValue::new("provider", provider),
            KeyValue::new("app", app),
            KeyValue::new("outcome", fate.name()),
        ];
        self.webhooks.add(1, &labels);
    }

    pub(crate) fn batch(&self, size: usize, took: Duration) {
        self.batch_size.record(size as u64, &[]);
        self.batch_seconds.record(took.as_secs_f64(), &[]);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
