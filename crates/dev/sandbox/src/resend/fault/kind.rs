use serde::{Deserialize, Serialize};

/// What goes wrong. "Accepted" means: in the mailbox, events follow, and the idempotency key finds it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Accepted; no answer for `delay_ms` (60 s), then the connection is reset.
    TimeoutAfterAccept,
    /// Not accepted; no answer for `delay_ms` (60 s), then the connection is reset.
    TimeoutBeforeAccept,
    /// Accepted; 500 `internal_server_error`.
    ServerErrorAfterAccept,
    /// Not accepted; 500 `application_error`.
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
    /// Not accepted; the error `name` with optional `http_status` and `message`.
    ApiError,
    /// Not accepted; 429 `rate_limit_exceeded`.
    RateLimit,
    /// Not accepted; 429 `daily_quota_exceeded`.
    DailyQuota,
    /// Not accepted; 429 `monthly_quota_exceeded`.
    MonthlyQuota,
    /// Accepted; the answer comes `delay_ms` (1 s) late. Until then the idempotency key is in use.
    SlowResponse,
    /// Each event comes `copies` (2) times, under one id.
    DuplicateEvents,
    /// Events come last first.
    ReorderedEvents,
    /// The `events` named (all, when none is) never come.
    DroppedEvents,
    /// Events come `delay_ms` (5 s) later.
    DelayedEvents,
    /// The e-mail bounces for good.
    Bounced,
    /// The recipients complain.
    Complained,
    /// Resend fails to send it.
    Failed,
}

impl FaultKind {
    pub(in crate::resend) const fn as_str(self) -> &'static str {
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
            Self::ApiError => "api_error",
            Self::RateLimit => "rate_limit",
            Self::DailyQuota => "daily_quota",
            Self::MonthlyQuota => "monthly_quota",
            Self::SlowResponse => "slow_response",
            Self::DuplicateEvents => "duplicate_events",
            Self::ReorderedEvents => "reordered_events",
            Self::DroppedEvents => "dropped_events",
            Self::DelayedEvents => "delayed_events",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Failed => "failed",
        }
    }

    /// Whether it concerns what becomes of an e-mail rather than the answer to a call.
    pub(super) const fn is_about_events(self) -> bool {
        matches!(
            self,
            Self::DuplicateEvents
                | Self::ReorderedEvents
                | Self::DroppedEvents
                | Self::DelayedEvents
                | Self::Bounced
                | Self::Complained
                | Self::Failed
        )
    }

    /// Whether the call takes effect although its answer is disturbed.
    pub(in crate::resend) const fn accepts(self) -> bool {
        matches!(
            self,
            Self::TimeoutAfterAccept
                | Self::ServerErrorAfterAccept
                | Self::ResetAfterAccept
                | Self::ResetMidResponse
                | Self::GarbageBody
                | Self::EmptyBody
                | Self::SlowResponse
        ) || self.is_about_events()
    }
}
