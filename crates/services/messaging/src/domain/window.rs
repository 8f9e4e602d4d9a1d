//! The customer service window (Meta: free-form messages may be sent within 24 hours of the
//! customer's last message; outside it only templates).

use chrono::{DateTime, TimeDelta, Utc};
use proto::messaging::v1::{MessageContent, message_content::Kind};

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

/// Whether the content may be sent now: templates always, anything else while the window is open.
pub(crate) fn allows(
    content: &MessageContent,
    last_inbound_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    matches!(content.kind, Some(Kind::Template(_))) || closes_at(last_inbound_at, now).is_some()
}

#[cfg(test)]
mod tests {
    use proto::messaging::v1::{Template, Text};

    use super::*;

    #[test]
    fn outside_the_window_only_templates_go() {
        let written = DateTime::from_timestamp(1_760_000_000, 0).expect("a valid time");
        let content = |kind| MessageContent { kind: Some(kind) };
        let text = content(Kind::Text(Text::default()));
        let template = content(Kind::Template(Template::default()));
        assert!(allows(&text, Some(written), written));
        assert!(!allows(&text, Some(written), written + WINDOW));
        assert!(!allows(&text, None, written));
        assert!(allows(&template, None, written));
    }

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
