//! The customer service window (Meta: free-form messages may be sent within 24 hours of the
//! customer's last message; outside it only templates).

use chrono::{DateTime, TimeDelta, Utc};

/// Meta: 24 hours from the customer's last message.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(24);

/// When the window closes; `None` when it is closed or never opened.
pub(crate) fn closes_at(
    last_inbound_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    last_inbound_at
        .map(|at| at + WINDOW)
        .filter(|closes| *closes > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_open_for_exactly_24_hours() {
        let written = DateTime::from_timestamp(1_760_000_000, 0).expect("a valid time");
        let last_second = written + WINDOW - TimeDelta::seconds(1);
        assert_eq!(
            closes_at(Some(written), last_second),
            Some(written + WINDOW)
        );
        assert_eq!(closes_at(Some(written), written + WINDOW), None);
        assert_eq!(closes_at(None, written), None);
    }
}
