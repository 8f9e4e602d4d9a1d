//! What can be changed while the sandbox runs: `PATCH /_sandbox/settings`.

use serde::{Deserialize, Serialize};

use crate::DelayRange;

/// Timing, limits and webhook policy. Every field has a default, so a patch names only what changes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an ordinary Graph answer takes.
    pub answer_ms: DelayRange,
    pub statuses: StatusSettings,
    pub limits: LimitSettings,
    pub webhooks: WebhookSettings,
}

/// When statuses come. Each delay counts from the step before: accepted, sent, delivered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusSettings {
    pub sent_ms: DelayRange,
    pub delivered_ms: DelayRange,
    pub read_ms: DelayRange,
    /// Share of delivered messages that are read, 0 to 1. A customer without read receipts
    /// never reads.
    pub read_probability: f64,
    /// Whether `failed` carries `biz_opaque_callback_data`. Meta documents it for sent, delivered
    /// and read only.
    pub failed_carries_opaque: bool,
}

impl Default for StatusSettings {
    fn default() -> Self {
        Self {
            sent_ms: DelayRange(80, 200),
            delivered_ms: DelayRange(80, 400),
            read_ms: DelayRange(150, 400),
            read_probability: 1.0,
            failed_carries_opaque: false,
        }
    }
}

/// Meta's rate limits. The throughput itself belongs to the number (80, 1000 or 20 a second).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Refuse with 130429 what exceeds the number's throughput.
    pub throughput: bool,
    /// Refuse with 131056 what exceeds the pair rate.
    pub pair: bool,
    /// One message to the same user in this time (Meta: 6 s) …
    pub pair_interval_ms: u32,
    /// … of which this many may be borrowed at once (Meta: 45).
    pub pair_burst: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            throughput: true,
            pair: true,
            pair_interval_ms: 6000,
            pair_burst: 45,
        }
    }
}

/// How webhooks are delivered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// A delivery without an answer in this time has failed. Meta's own limit isn't published.
    pub timeout_ms: u64,
    /// Most deliveries to one app at a time. When all are busy, events gather into bigger batches.
    pub max_in_flight: usize,
    /// Most events in one POST (Meta: up to 1000).
    pub max_batch: usize,
    /// Events due within the same slot of this length travel together.
    pub coalesce_ms: u32,
    /// Deliveries of one batch, the first included, before it is given up.
    pub max_attempts: u32,
    /// Wait before the second delivery; doubles each time …
    pub retry_first_ms: u64,
    /// … up to this.
    pub retry_max_ms: u64,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            timeout_ms: 5000,
            max_in_flight: 32,
            max_batch: 100,
            coalesce_ms: 5,
            max_attempts: 10,
            retry_first_ms: 250,
            retry_max_ms: 30_000,
        }
    }
}
