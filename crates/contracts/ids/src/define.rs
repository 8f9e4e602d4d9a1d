//! The macro behind the registry in `lib.rs`.

use std::sync::Mutex;

use uuid::{ContextV7, Timestamp, Uuid};

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}_` and 26 lower-case base32 characters")]
pub struct ParseError {
    /// The prefix that was expected, without the underscore.
    pub prefix: &'static str,
}

macro_rules! define {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The prefix of the text form, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, stamped with the machine's time.
            #[expect(clippy::disallowed_methods, reason = "ids are made in this crate only")]
            pub fn generate() -> Self {
                Self(uuid::Uuid::now_v7())
            }

            /// A new id, stamped with `unix_ms` milliseconds since the epoch: for callers that
            /// run on an injected clock. Ids made one after the other in one process sort in that
            /// order, also within a millisecond.
            pub fn generate_at(unix_ms: u64) -> Self {
                Self(crate::define::v7_at(unix_ms))
            }

            /// A new id, stamped with a time: for callers that hold the time of what they record.
            pub fn stamped(at: chrono::DateTime<chrono::Utc>) -> Self {
                // There was nothing to record before 1970.
                Self::generate_at(u64::try_from(at.timestamp_millis()).unwrap_or(0))
            }

            /// The smallest id of that millisecond: the lower bound of a range by time.
            pub const fn min_at(unix_ms: u64) -> Self {
                Self(uuid::Uuid::from_u128((unix_ms as u128) << 80))
            }

            /// The stored form.
            pub const fn as_uuid(self) -> uuid::Uuid {
                self.0
            }

            /// Wraps a stored uuid. A named function, so that a search finds each place that
            /// asserts a kind.
            pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let text = crate::base32::encode(self.0.as_u128());
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(crate::base32::decode)
                    .map(|value| Self(uuid::Uuid::from_u128(value)))
                    .ok_or($crate::ParseError { prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+

        #[cfg(test)]
        mod registry {
            #[test]
            fn every_kind_has_its_own_prefix_and_parses_only_itself() {
                let prefixes = [$($prefix),+];
                let mut unique = prefixes.to_vec();
                unique.sort_unstable();
                unique.dedup();
                assert_eq!(unique.len(), prefixes.len());
                $(
                    let id = super::$name::generate();
                    assert_eq!(id.to_string().parse::<super::$name>(), Ok(id));
                    assert!(id.to_string().to_uppercase().parse::<super::$name>().is_err());
                    assert!(format!("zz_{}", &id.to_string()).parse::<super::$name>().is_err());
                )+
            }
        }
    };
}
pub(crate) use define;

/// The counter behind ids of the same millisecond.
static SEQUENCE: Mutex<ContextV7> = Mutex::new(ContextV7::new());

pub(crate) fn v7_at(unix_ms: u64) -> Uuid {
    let nanos = u32::try_from(unix_ms % 1_000).unwrap_or_default() * 1_000_000;
    Uuid::new_v7(Timestamp::from_unix(&SEQUENCE, unix_ms / 1_000, nanos))
}

#[cfg(test)]
mod tests {
    use crate::{ConversationId, MessageId};

    #[test]
    fn ids_sort_by_time_and_bound_a_range() {
        let early = MessageId::generate_at(1_000);
        let late = MessageId::generate_at(2_000);
        assert!(early < late);
        assert!(MessageId::min_at(2_000) <= late);
        assert!(early < MessageId::min_at(2_000));
        assert_eq!(late.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn an_id_is_stamped_with_a_time_or_its_milliseconds_alike() {
        let at = chrono::DateTime::from_timestamp_millis(1_500).expect("a time");
        let id = MessageId::stamped(at);
        assert!(id >= MessageId::min_at(1_500) && id < MessageId::min_at(1_501));
    }

    #[test]
    fn ids_of_one_millisecond_keep_their_order() {
        let made: Vec<_> = (0..1_000).map(|_| MessageId::generate_at(5_000)).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| *id >= MessageId::min_at(5_000)));
    }

    #[test]
    fn one_kind_does_not_parse_as_another() {
        let id = ConversationId::generate().to_string();
        assert!(id.parse::<MessageId>().is_err());
    }
}
