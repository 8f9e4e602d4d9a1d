use serde::{Deserialize, Serialize};

/// What goes wrong. "Accepted" means: in the ledger, statuses follow, the customer has the message.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Accepted; no answer for `delay_ms` (60 s), then the connection is reset.
    TimeoutAfterAccept,
    /// Not accepted; no answer for `delay_ms` (60 s), then the connection is reset.
    TimeoutBeforeAccept,
    /// Accepted; 500 with a Graph error (`code`, default 1).
    ServerErrorAfterAccept,
    /// Not accepted; 500 with a Graph error (`code`, default 131000).
    ServerErrorBeforeAccept,
    /// Accepted; the connection is reset before a byte of the answer.
    ResetAfterAccept,
    /// Not accepted; the connection is reset before a byte of the answer.
    ResetBeforeAccept,
    /// Accepted; the connection is reset in the middle of the answer.
    ResetMidResponse,
    /// Accepted; 200 with a body that is not JSON.
    GarbageBody,
    /// Accepted; 200 with an empty body.
    EmptyBody,
    /// Not accepted; 502 with an HTML page.
    #[serde(rename = "html_502")]
    Html502,
    /// Accepted; 502 with an HTML page.
    #[serde(rename = "html_502_after_accept")]
    Html502AfterAccept,
    /// Not accepted; the Graph error `code` with optional `http_status`, `subcode`, `details`.
    GraphError,
    /// Not accepted; 130429 with HTTP 400.
    ThroughputLimit,
    /// Not accepted; 131056.
    PairRateLimit,
    /// Not accepted; HTTP 429 with code 4.
    #[serde(rename = "http_429")]
    Http429,
    /// Not accepted; 190.
    TokenExpired,
    /// Accepted; the answer comes `delay_ms` (1 s) late.
    SlowResponse,
    /// Each status comes `copies` (2) times.
    DuplicateStatuses,
    /// Statuses come last first.
    ReorderedStatuses,
    /// The `statuses` named (all, when none is) never come.
    DroppedStatuses,
    /// Statuses come `delay_ms` (5 s) later.
    DelayedStatuses,
    /// After `sent` the message fails with `code` (131026).
    FailedStatus,
    /// Statuses come at once and the answer `delay_ms` (300) after them.
    StatusesBeforeResponse,
}

impl FaultKind {
    pub(in crate::meta) const fn as_str(self) -> &'static str {
        match self {
            Self::TimeoutAfterAccept => "timeout_after_accept",
            Self::TimeoutBeforeAccept => "timeout_before_accept",
            Self::ServerErrorAfterAccept => "server_error_after_accept",
            Self::ServerErrorBeforeAccept => "server_error_before_accept",
            Self::ResetAfterAccept => "reset_after_accept",
            Self::ResetBeforeAccept => "reset_before_accept",
            Self::ResetMidResponse => "reset_mid_response",
            Self::GarbageBody => "garbage_body",
            Self::EmptyBody => "empty_body",
            Self::Html502 => "html_502",
            Self::Html502AfterAccept => "html_502_after_accept",
            Self::GraphError => "graph_error",
            Self::ThroughputLimit => "throughput_limit",
            Self::PairRateLimit => "pair_rate_limit",
            Self::Http429 => "http_429",
            Self::TokenExpired => "token_expired",
            Self::SlowResponse => "slow_response",
            Self::DuplicateStatuses => "duplicate_statuses",
            Self::ReorderedStatuses => "reordered_statuses",
            Self::DroppedStatuses => "dropped_statuses",
            Self::DelayedStatuses => "delayed_statuses",
            Self::FailedStatus => "failed_status",
            Self::StatusesBeforeResponse => "statuses_before_response",
        }
    }

    /// Whether it concerns the statuses of a message rather than the answer to a call.
    pub(super) const fn is_about_statuses(self) -> bool {
        matches!(
            self,
            Self::DuplicateStatuses
                | Self::ReorderedStatuses
                | Self::DroppedStatuses
                | Self::DelayedStatuses
                | Self::FailedStatus
                | Self::StatusesBeforeResponse
        )
    }

    /// Whether the call takes effect although its answer is disturbed.
    pub(in crate::meta) const fn accepts(self) -> bool {
        matches!(
            self,
            Self::TimeoutAfterAccept
                | Self::ServerErrorAfterAccept
                | Self::ResetAfterAccept
                | Self::ResetMidResponse
                | Self::GarbageBody
                | Self::EmptyBody
                | Self::Html502AfterAccept
                | Self::SlowResponse
        ) || self.is_about_statuses()
    }
}
