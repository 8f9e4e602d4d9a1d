//! What can come of a send, sorted by what to do next.

use std::{fmt, time::Duration};

use chrono::{DateTime, Days, NaiveTime, Utc};
use errors::{Classify, Code, codes};
use outbound::{NotSent, Response, Unknown};

use super::rejection::{Meaning, Rejection};
use crate::email::Invalid;

/// When to come back without a wish of Resend's: its limit is per second.
const AFTER_TOO_FAST: Duration = Duration::from_secs(1);
/// A call with the same key takes as long as a call.
const AFTER_BUSY: Duration = Duration::from_secs(2);
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// Why an e-mail was not sent, or not surely.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Send it again, with the same key, not before `after`. Wait longer each time. Where the answer was lost Resend
    /// may have taken the e-mail; the key keeps it from being sent twice.
    #[error("the e-mail is to be sent again")]
    Retry {
        /// The shortest pause.
        after: Duration,
        /// What happened.
        #[source]
        why: Why,
    },
    /// The team may send no more today or this month. Send it again tomorrow: by then the plan may have changed too.
    #[error("the {period} quota of e-mails is used up")]
    Quota {
        /// Which one.
        period: Period,
        /// Until the next day begins (UTC).
        after: Duration,
    },
    /// Resend will never take this e-mail.
    #[error("the e-mail was refused")]
    Refused(#[source] Refusal),
    /// Resend takes no e-mail from us until a person corrects the settings: alert, and keep the e-mail.
    #[error("e-mail is not set up correctly")]
    Configuration(#[source] Refusal),
}

/// What keeps an e-mail for later.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// More calls than the team may make in a second.
    #[error("too many calls in a second")]
    TooFast,
    /// Another call with the same key is under way.
    #[error("another call with its key is under way")]
    Busy,
    /// Resend reports a problem of its own.
    #[error(transparent)]
    Down(Rejection),
    /// The call did not reach Resend, or its answer did not reach us.
    #[error("there is no answer")]
    NoAnswer(#[source] outbound::Error),
}

/// A quota of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// E-mails in a day.
    Daily,
    /// E-mails in a month.
    Monthly,
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daily => "daily",
            Self::Monthly => "monthly",
        })
    }
}

/// Who said no.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// We did, before asking.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Resend did.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The request could not be made.
    #[error("no request can be made of it")]
    Unsendable(#[source] outbound::Error),
}

impl Error {
    pub(crate) fn from_answer(
        rejection: Rejection,
        response: &Response,
        now: DateTime<Utc>,
    ) -> Self {
        let asked = response.retry_after(now).or_else(|| reset_after(response));
        let retry = |why, usual: Duration| Self::Retry {
            after: asked.unwrap_or(usual),
            why,
        };
        let quota = |period| Self::Quota {
            period,
            after: until_tomorrow(now),
        };
        match rejection.meaning() {
            Meaning::TooFast => retry(Why::TooFast, AFTER_TOO_FAST),
            Meaning::Busy => retry(Why::Busy, AFTER_BUSY),
            Meaning::Down => retry(Why::Down(rejection), AFTER_TROUBLE),
            Meaning::DailyQuota => quota(Period::Daily),
            Meaning::MonthlyQuota => quota(Period::Monthly),
            Meaning::Never => Self::Refused(rejection.into()),
            Meaning::Settings => Self::Configuration(rejection.into()),
        }
    }

    /// When to send again with the same key; `None` if repeating alone does not help.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Retry { after, .. } | Self::Quota { after, .. } => Some(*after),
            Self::Refused(_) | Self::Configuration(_) => None,
        }
    }
}

/// `ratelimit-reset`: seconds until the team may call again.
fn reset_after(response: &Response) -> Option<Duration> {
    let seconds = response.header("ratelimit-reset")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn until_tomorrow(now: DateTime<Utc>) -> Duration {
    let tomorrow = now.date_naive() + Days::new(1);
    let midnight = tomorrow.and_time(NaiveTime::MIN).and_utc();
    (midnight - now).to_std().unwrap_or_default()
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Refused(invalid.into())
    }
}

impl From<outbound::Error> for Error {
    fn from(source: outbound::Error) -> Self {
        match &source {
            outbound::Error::NotSent { reason, .. } => match reason {
                NotSent::Refused(_) | NotSent::Invalid => {
                    return Self::Configuration(Refusal::Unsendable(source));
                }
                NotSent::Dns
                | NotSent::Connect
                | NotSent::Tls
                | NotSent::ConnectTimeout
                | NotSent::CircuitOpen { .. } => {}
            },
            outbound::Error::Unknown { reason, .. } => match reason {
                Unknown::Deadline
                | Unknown::ConnectionLost
                | Unknown::BodyCut { .. }
                | Unknown::BodyTooLarge { .. }
                | Unknown::Undecodable { .. } => {}
            },
        }
        Self::Retry {
            after: source.retry_after().unwrap_or(AFTER_TROUBLE),
            why: Why::NoAnswer(source),
        }
    }
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Retry { why, .. } => match why {
                Why::TooFast => &codes::RATE_LIMITED,
                Why::Busy => &codes::CONFLICT,
                Why::Down(_) => &codes::UNAVAILABLE,
                Why::NoAnswer(error) => error.code(),
            },
            Self::Quota { .. } => &codes::RATE_LIMITED,
            Self::Refused(_) => &codes::REQUEST_INVALID,
            // Nobody outside can correct our settings, and nobody outside needs to know of them.
            Self::Configuration(_) => &codes::INTERNAL,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        Self::retry_after(self)
    }
}
