//! An organization's settings and its life.

use chrono::{DateTime, TimeDelta, Utc};

/// From the wish to delete an organization until it is final.
pub(crate) const GRACE: TimeDelta = TimeDelta::days(30);

/// Whether its people get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    Active,
    Suspended { reason: String },
    Deleting { delete_at: DateTime<Utc> },
}

/// The present state does not allow the change; what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongState(pub(crate) &'static str);

impl Life {
    /// The name in tables.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Deleting { .. } => "deleting",
        }
    }

    pub(crate) fn parse(
        state: &str,
        reason: String,
        delete_at: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        match (state, delete_at) {
            ("active", None) => Some(Self::Active),
            ("suspended", None) => Some(Self::Suspended { reason }),
            ("deleting", Some(delete_at)) => Some(Self::Deleting { delete_at }),
            _ => None,
        }
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Suspended { reason } => reason,
            Self::Active | Self::Deleting { .. } => "",
        }
    }

    pub(crate) const fn delete_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Deleting { delete_at } => Some(*delete_at),
            Self::Active | Self::Suspended { .. } => None,
        }
    }

    const fn wrong(&self) -> WrongState {
        WrongState(match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Deleting { .. } => "being deleted",
        })
    }

    /// A suspended one may get another reason.
    pub(crate) fn suspend(&mut self, reason: String) -> Result<(), WrongState> {
        match self {
            Self::Active | Self::Suspended { .. } => {
                *self = Self::Suspended { reason };
                Ok(())
            }
            Self::Deleting { .. } => Err(self.wrong()),
        }
    }

    pub(crate) fn resume(&mut self) -> Result<(), WrongState> {
        match self {
            Self::Suspended { .. } => {
                *self = Self::Active;
                Ok(())
            }
            Self::Active | Self::Deleting { .. } => Err(self.wrong()),
        }
    }

    pub(crate) fn schedule_deletion(&mut self, now: DateTime<Utc>) -> Result<(), WrongState> {
        match self {
            Self::Active => {
                *self = Self::Deleting {
                    delete_at: now + GRACE,
                };
                Ok(())
            }
            Self::Suspended { .. } | Self::Deleting { .. } => Err(self.wrong()),
        }
    }

    /// Not any more once it is due: the job may have begun to erase.
    pub(crate) fn cancel_deletion(&mut self, now: DateTime<Utc>) -> Result<(), WrongState> {
        match self {
            Self::Deleting { delete_at } if now < *delete_at => {
                *self = Self::Active;
                Ok(())
            }
            Self::Active | Self::Suspended { .. } | Self::Deleting { .. } => Err(self.wrong()),
        }
    }
}

/// Whether the text is an IANA time zone.
pub(crate) fn is_time_zone(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

/// Whether the text has the form of a BCP 47 language tag (RFC 5646 section 2.1): a language, then subtags of 1 to 8
/// letters and digits.
pub(crate) fn is_locale(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn suspended() -> Life {
        Life::Suspended {
            reason: "unpaid".to_owned(),
        }
    }

    fn deleting() -> Life {
        Life::Deleting { delete_at: at(30) }
    }

    #[test]
    fn each_change_starts_from_its_state_only() {
        type Change = fn(&mut Life) -> Result<(), WrongState>;
        let changes: [(Change, [Option<Life>; 3]); 4] = [
            (
                |life| life.suspend("unpaid".to_owned()),
                [Some(suspended()), Some(suspended()), None],
            ),
            (Life::resume, [None, Some(Life::Active), None]),
            (
                |life| life.schedule_deletion(at(0)),
                [Some(deleting()), None, None],
            ),
            (
                |life| life.cancel_deletion(at(29)),
                [None, None, Some(Life::Active)],
            ),
        ];
        for (number, (turn, ends)) in changes.into_iter().enumerate() {
            for (start, end) in [Life::Active, suspended(), deleting()]
                .into_iter()
                .zip(ends)
            {
                let mut life = start.clone();
                let turned = turn(&mut life);
                assert_eq!(turned.is_ok(), end.is_some(), "{number} of {start:?}");
                assert_eq!(life, end.unwrap_or(start));
            }
        }
    }

    #[test]
    fn a_deletion_that_is_due_is_not_taken_back() {
        assert!(deleting().cancel_deletion(at(30)).is_err());
    }

    #[test]
    fn states_survive_their_columns() {
        for life in [Life::Active, suspended(), deleting()] {
            let reason = life.reason().to_owned();
            let parsed = Life::parse(life.as_str(), reason, life.delete_at());
            assert_eq!(parsed, Some(life));
        }
        assert_eq!(Life::parse("deleting", String::new(), None), None);
    }

    #[test]
    fn time_zones_are_those_of_iana() {
        assert!(is_time_zone("Europe/Berlin"));
        assert!(is_time_zone("UTC"));
        for wrong in ["", "Berlin", "Europe/berlin ", "+02:00", "../etc/passwd"] {
            assert!(!is_time_zone(wrong), "{wrong}");
        }
    }

    #[test]
    fn locales_have_the_form_of_language_tags() {
        for right in ["de", "pt-BR", "zh-Hant-TW", "es-419", "sl-rozaj-biske"] {
            assert!(is_locale(right), "{right}");
        }
        for wrong in ["", "d", "de_DE", "de-", "-de", "d3", "de-toolongsubtag"] {
            assert!(!is_locale(wrong), "{wrong}");
        }
    }
}
