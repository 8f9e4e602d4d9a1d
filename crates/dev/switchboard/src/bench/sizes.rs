//! How much is measured.

use std::time::Duration;

use super::seed::Past;

/// The sizes of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Load that is not measured: connections, plans and caches.
    pub(super) warm: Duration,
    /// Load that is.
    pub(super) lasts: Duration,
    /// The tenant's past.
    pub(super) past: Past,
    /// Other tenants, and the past of each.
    pub(super) others: u32,
    pub(super) past_of_others: Past,
    /// Inbound messages of each pipeline measurement.
    pub(super) pipeline: u64,
    /// Messages to be sent.
    pub(super) sends: i32,
    /// Messages a second while an inbox is open.
    pub(super) live_rate: u32,
    pub(super) live_seconds: u64,
    /// From the last service's start until memory is read.
    pub(super) settle: Duration,
}

impl Sizes {
    /// The budgets'.
    pub(super) const FULL: Self = Self {
        warm: Duration::from_secs(1),
        lasts: Duration::from_secs(7),
        past: Past {
            contacts: 50_000,
            conversations: 50_000,
            messages: 1_000_000,
        },
        // With the tenant: 200,000 contacts, 100,000 conversations, 5,000,000 messages.
        others: 9,
        past_of_others: Past {
            contacts: 16_667,
            conversations: 5_556,
            messages: 444_445,
        },
        pipeline: 30_000,
        sends: 20_000,
        live_rate: 500,
        live_seconds: 11,
        settle: Duration::from_secs(3),
    };

    /// Enough to see that everything works; the figures mean nothing.
    pub(super) const QUICK: Self = Self {
        warm: Duration::from_millis(200),
        lasts: Duration::from_secs(1),
        past: Past {
            contacts: 500,
            conversations: 500,
            messages: 5_000,
        },
        others: 2,
        past_of_others: Past {
            contacts: 200,
            conversations: 100,
            messages: 1_000,
        },
        pipeline: 1_000,
        sends: 200,
        live_rate: 50,
        live_seconds: 3,
        settle: Duration::from_millis(500),
    };
}
