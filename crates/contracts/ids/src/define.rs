//! The macro behind the registry in `lib.rs`.

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
            /// run on an injected clock.
            pub fn generate_at(unix_ms: u64) -> Self {
                let tail = crate::define::random_tail();
                Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &tail).into_uuid())
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

/// The 80 bits behind the timestamp of a uuid v7. They are the last ten bytes of a random uuid v4:
/// its fixed bits stand where v7 puts its own, so no randomness is lost.
#[expect(clippy::disallowed_methods, reason = "ids are made in this crate only")]
pub(crate) fn random_tail() -> [u8; 10] {
    let mut tail = [0; 10];
    tail.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[6..]);
    tail
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
    fn one_kind_does_not_parse_as_another() {
        let id = ConversationId::generate().to_string();
        assert!(id.parse::<MessageId>().is_err());
    }
}
