//! How far the work on a conversation is and how urgent it is: words in the database and in events, enums in the API.

use proto::messaging::v1::{ConversationStatus, Priority};

const STATUSES: [(ConversationStatus, &str); 4] = [
    (ConversationStatus::Open, OPEN),
    (ConversationStatus::Resolved, RESOLVED),
    (ConversationStatus::Pending, "pending"),
    (ConversationStatus::Snoozed, SNOOZED),
];
pub(crate) const OPEN: &str = "open";
pub(crate) const RESOLVED: &str = "resolved";
pub(crate) const SNOOZED: &str = "snoozed";

const PRIORITIES: [(Priority, &str); 5] = [
    (Priority::None, "none"),
    (Priority::Low, "low"),
    (Priority::Medium, "medium"),
    (Priority::High, "high"),
    (Priority::Urgent, "urgent"),
];

/// The stored word; `None` for [`ConversationStatus::Unspecified`].
pub(crate) fn status_word(status: ConversationStatus) -> Option<&'static str> {
    STATUSES
        .into_iter()
        .find_map(|(known, word)| (known == status).then_some(word))
}

/// What a stored word means.
pub(crate) fn status(word: &str) -> ConversationStatus {
    STATUSES
        .into_iter()
        .find_map(|(status, known)| (known == word).then_some(status))
        .unwrap_or(ConversationStatus::Unspecified)
}

/// The stored number: 0 none to 4 urgent; `None` for [`Priority::Unspecified`].
pub(crate) fn priority_rank(priority: Priority) -> Option<i16> {
    let position = PRIORITIES
        .iter()
        .position(|(known, _)| *known == priority)?;
    i16::try_from(position).ok()
}

/// What a stored number means.
pub(crate) fn priority(rank: i16) -> Priority {
    of_rank(rank).map_or(Priority::Unspecified, |(priority, _)| priority)
}

/// The word of a stored number.
pub(crate) fn priority_word(rank: i16) -> &'static str {
    of_rank(rank).map_or("", |(_, word)| word)
}

fn of_rank(rank: i16) -> Option<(Priority, &'static str)> {
    PRIORITIES.get(usize::try_from(rank).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_priority_is_read_back_as_it_was_stored() {
        for number in 1.. {
            let Ok(one) = ConversationStatus::try_from(number) else {
                break;
            };
            assert_eq!(status_word(one).map(status), Some(one));
        }
        for number in 1.. {
            let Ok(one) = Priority::try_from(number) else {
                break;
            };
            let rank = priority_rank(one).expect("a rank");
            assert_eq!(priority(rank), one);
            assert!(!priority_word(rank).is_empty());
        }
        assert_eq!(status_word(ConversationStatus::Unspecified), None);
        assert_eq!(priority_rank(Priority::Unspecified), None);
        assert_eq!(priority(9), Priority::Unspecified);
    }
}
