//! The life of a message as a lattice: statuses merge by the greatest rank, so the order in which
//! WhatsApp reports them does not matter, and repeating one changes nothing. The database does the
//! merging (`status < reported`), by the same ranks.

use proto::messaging::v1::MessageStatus;

/// A status with its rank; the rank is what the database stores and compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[repr(i16)]
pub(crate) enum Status {
    /// Waiting for its turn in the number's lane.
    Queued = 0,
    /// An attempt has begun.
    Sending = 10,
    /// Not sent before its time ran out.
    Expired = 11,
    /// WhatsApp's answer was lost and no status told more.
    Unconfirmed = 15,
    /// WhatsApp took it.
    Accepted = 20,
    /// On its way.
    Sent = 30,
    /// It will not arrive. Above `Sent`, because WhatsApp may report a failure after it; below
    /// `Delivered`, because what arrived did not fail.
    Failed = 35,
    /// On the customer's phone.
    Delivered = 40,
    /// Seen.
    Read = 50,
    /// A voice message was heard.
    Played = 60,
    /// An inbound message that was stored; it has no further life.
    Received = 100,
    /// A note or an activity: it goes nowhere and has no further life.
    Recorded = 110,
}

impl Status {
    /// WhatsApp's words, and what they mean to us.
    pub(crate) const WORDS: [(&str, Self); 5] = [
        ("sent", Self::Sent),
        ("failed", Self::Failed),
        ("delivered", Self::Delivered),
        ("read", Self::Read),
        ("played", Self::Played),
    ];

    /// The stored form.
    pub(crate) const fn rank(self) -> i16 {
        self as i16
    }

    /// WhatsApp's word for a status; `None` for words we do not know (yet), which change nothing.
    pub(crate) fn from_whatsapp(word: &str) -> Option<Self> {
        Self::WORDS
            .into_iter()
            .find_map(|(known, status)| (known == word).then_some(status))
    }
}

impl From<Status> for MessageStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => Self::Queued,
            Status::Sending => Self::Sending,
            Status::Expired => Self::Expired,
            Status::Unconfirmed => Self::Unconfirmed,
            Status::Accepted => Self::Accepted,
            Status::Sent => Self::Sent,
            Status::Failed => Self::Failed,
            Status::Delivered => Self::Delivered,
            Status::Read => Self::Read,
            Status::Played => Self::Played,
            Status::Received => Self::Received,
            Status::Recorded => Self::Recorded,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_status() -> impl Strategy<Value = Status> {
        proptest::sample::select(vec![
            Status::Queued,
            Status::Sending,
            Status::Expired,
            Status::Unconfirmed,
            Status::Accepted,
            Status::Sent,
            Status::Failed,
            Status::Delivered,
            Status::Read,
            Status::Played,
        ])
    }

    #[test]
    fn a_late_sent_never_hides_a_read() {
        let life = [Status::Read, Status::Delivered, Status::Sent];
        let end = life.into_iter().fold(Status::Accepted, Status::max);
        assert_eq!(end, Status::Read);
    }

    #[test]
    fn a_failure_after_delivery_is_not_believed() {
        assert_eq!(Status::Delivered.max(Status::Failed), Status::Delivered);
        assert_eq!(Status::Sent.max(Status::Failed), Status::Failed);
    }

    proptest! {
        #[test]
        fn the_order_and_number_of_reports_do_not_matter(
            mut reports in proptest::collection::vec(any_status(), 1..8),
            seed in any::<u64>(),
        ) {
            let end = reports.iter().copied().fold(Status::Queued, Status::max);
            let turn = usize::try_from(seed).unwrap_or(0) % reports.len();
            reports.rotate_left(turn);
            let doubled: Vec<_> = reports.iter().chain(&reports).copied().collect();
            prop_assert_eq!(doubled.into_iter().fold(Status::Queued, Status::max), end);
        }
    }
}
