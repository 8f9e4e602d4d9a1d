//! Whether an address gets mail.
//!
//! Whoever goes on writing to addresses that do not exist, or to people who call it spam, is soon read by nobody: mail
//! providers judge the sender by it.

use chrono::{DateTime, TimeDelta, Utc};

/// A bounce counts for this long. The mailbox may have been out of order, and nothing else would tell us that it works
/// again.
pub(crate) const BOUNCES_COUNT_FOR: TimeDelta = TimeDelta::days(30);

/// What is known of an address. Each time is the last one, so it does not matter in which order they were learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reports {
    /// When mail came back for good, or Resend refused to send it.
    pub(crate) bounced: Option<DateTime<Utc>>,
    /// When the owner called mail spam.
    pub(crate) complained: Option<DateTime<Utc>>,
    /// When a link that was mailed there was used.
    pub(crate) proved: Option<DateTime<Utc>>,
}

/// Why an address gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Bounced,
    Complained,
}

impl Reason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "mail to this address came back",
            Self::Complained => "the owner of this address called our mail spam",
        }
    }
}

impl Reports {
    /// Why mail is not sent at `now`. A complaint is a wish and stays; a bounce is refuted by whoever has read our mail
    /// since.
    pub(crate) fn stops(&self, now: DateTime<Utc>) -> Option<Reason> {
        if self.complained.is_some() {
            return Some(Reason::Complained);
        }
        let bounced = self.bounced?;
        let is_refuted = self.proved.is_some_and(|proved| proved >= bounced);
        let counts = now - bounced < BOUNCES_COUNT_FOR;
        (counts && !is_refuted).then_some(Reason::Bounced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap() + TimeDelta::days(day)
    }

    #[test]
    fn a_bounce_counts_for_thirty_days_or_until_somebody_proves_to_read_mail() {
        let mut reports = Reports {
            bounced: Some(day(0)),
            ..Reports::default()
        };
        assert_eq!(reports.stops(day(0)), Some(Reason::Bounced));
        assert_eq!(reports.stops(day(29)), Some(Reason::Bounced));
        assert_eq!(reports.stops(day(30)), None);
        reports.proved = Some(day(-1));
        assert_eq!(reports.stops(day(1)), Some(Reason::Bounced));
        reports.proved = Some(day(1));
        assert_eq!(reports.stops(day(1)), None);
        reports.bounced = Some(day(2));
        assert_eq!(reports.stops(day(2)), Some(Reason::Bounced));
    }

    #[test]
    fn a_complaint_stays() {
        let reports = Reports {
            bounced: Some(day(0)),
            complained: Some(day(0)),
            proved: Some(day(1)),
        };
        assert_eq!(reports.stops(day(1_000)), Some(Reason::Complained));
    }

    #[test]
    fn nothing_known_or_only_a_proof_stops_nothing() {
        let mut reports = Reports::default();
        assert_eq!(reports.stops(day(0)), None);
        reports.proved = Some(day(0));
        assert_eq!(reports.stops(day(0)), None);
    }
}
