//! What a merge changed, as it is kept to take the merge back.

use chrono::{DateTime, Utc};
use ids::{ConsentId, ContactNoteId, ConversationId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::contacts::{Contact, Identity};

/// What moved to the kept contact.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) said: Said,
    pub(crate) identities: Vec<Identity>,
    pub(crate) notes: Vec<ContactNoteId>,
    pub(crate) consents: Vec<ConsentId>,
    /// The position of the last consent of both: later ones were said since.
    #[serde(default)]
    pub(crate) last_consent: i64,
    /// Conversations that changed hands as they were.
    pub(crate) conversations: Vec<ConversationId>,
    /// Conversations whose messages moved into one that the kept contact had: from where, to where.
    pub(crate) joined: Vec<(ConversationId, ConversationId)>,
}

/// What was said of the kept contact before the merge, and after it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) name: (String, String),
    pub(crate) locale: (String, String),
    pub(crate) time_zone: (String, String),
    pub(crate) attributes: (Value, Value),
    pub(crate) blocked_at: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
}

impl Said {
    /// Takes back what the merge said, where nobody has said anything else since.
    pub(crate) fn take_back(&self, contact: &mut Contact) {
        for (now, (before, after)) in [
            (&mut contact.name, &self.name),
            (&mut contact.locale, &self.locale),
            (&mut contact.time_zone, &self.time_zone),
        ] {
            if now == after {
                now.clone_from(before);
            }
        }
        if contact.blocked_at == self.blocked_at.1 {
            contact.blocked_at = self.blocked_at.0;
        }
        let empty = Map::new();
        let before = self.attributes.0.as_object().unwrap_or(&empty);
        let after = self.attributes.1.as_object().unwrap_or(&empty);
        if let Some(now) = contact.attributes.as_object_mut() {
            // The merge adds values and never changes one.
            now.retain(|key, value| before.contains_key(key) || after.get(key) != Some(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ids::ContactId;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_said_since_the_merge_is_left_alone() {
        let said = Said {
            name: (String::new(), "Ada".to_owned()),
            locale: ("de".to_owned(), "de".to_owned()),
            time_zone: (String::new(), "Europe/Berlin".to_owned()),
            blocked_at: (None, None),
            attributes: (json!({"a": 1}), json!({"a": 1, "b": 2, "c": 3})),
        };
        let mut contact = Contact {
            id: ContactId::generate(),
            name: "Ada".to_owned(),
            locale: "de".to_owned(),
            time_zone: "Europe/Paris".to_owned(),
            attributes: json!({"a": 1, "b": 2, "c": 4, "d": 5}),
            version: 1,
            blocked_at: None,
            created_at: DateTime::UNIX_EPOCH,
        };
        said.take_back(&mut contact);
        assert_eq!(contact.name, "");
        assert_eq!(contact.locale, "de");
        assert_eq!(contact.time_zone, "Europe/Paris");
        assert_eq!(contact.attributes, json!({"a": 1, "c": 4, "d": 5}));
    }
}
