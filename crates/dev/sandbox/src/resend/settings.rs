//! What can be changed while the sandbox runs: `PATCH /_sandbox/resend/settings`.

use serde::{Deserialize, Serialize};

use crate::DelayRange;

/// Timing, limits and webhook policy. Every field has a default, so a patch names only what changes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an ordinary answer takes. Meanwhile the idempotency key counts as in use.
    pub answer_ms: DelayRange,
    pub events: EventSettings,
    pub limits: LimitSettings,
    pub webhooks: WebhookSettings,
}

/// When events come. Each delay counts from the step before.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// `sent`, or `suppressed`.
    pub sent_ms: DelayRange,
    /// `delivered`, or `bounced`.
    pub delivered_ms: DelayRange,
    /// `complained`.
    pub complained_ms: DelayRange,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            sent_ms: DelayRange(50, 150),
            delivered_ms: DelayRange(100, 400),
            complained_ms: DelayRange(300, 600),
        }
    }
}

/// Resend's limits. They are per team, whatever the number of keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Calls a second; 0 for no limit. Resend's documentation has said 2, 5 and 10.
    pub requests_per_second: u32,
    /// E-mails a day (UTC).
    pub daily_quota: Option<u32>,
    /// E-mails a calendar month (UTC).
    pub monthly_quota: Option<u32>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            requests_per_second: 5,
            daily_quota: None,
            monthly_quota: None,
        }
    }
}

/// How webhooks are delivered.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// A delivery without an answer in this time has failed (Svix: 15 s).
    pub timeout_ms: u64,
    /// The pauses between attempts. After the last attempt the event is given up.
    pub retry_ms: Vec<u64>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        const MINUTE: u64 = 60_000;
        Self {
            timeout_ms: 15_000,
            // Svix: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
            retry_ms: [5_000, 5 * MINUTE, 30 * MINUTE]
                .into_iter()
                .chain([2, 5, 10, 10].map(|hours| hours * 60 * MINUTE))
                .collect(),
        }
    }
}
