//! How much is measured.

use std::time::Duration;

/// The sizes of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Load that is not measured: connections, plans and caches.
    pub(super) warm: Duration,
    /// Load that is.
    pub(super) lasts: Duration,
    /// The tenant's past.
    pub(super) conversations: i32,
    pub(super) messages: i32,
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
        conversations: 50_000,
        messages: 1_000_000,
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
        conversations: 500,
        messages: 5_000,
        pipeline: 1_000,
        sends: 200,
        live_rate: 50,
        live_seconds: 3,
        settle: Duration::from_millis(500),
    };
}
