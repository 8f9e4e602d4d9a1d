//! Versions of the Graph API and how long they live.
//!
//! A call to an expired version is not refused: it is answered by the oldest living one, whose
//! behaviour may differ. So the version is checked here, at start-up.

use std::{fmt, str::FromStr};

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Deserializer, de};

/// A version such as `v25.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiVersion {
    major: u16,
    minor: u8,
}

/// How a version stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In order.
    Living,
    /// Expires within 90 days.
    ExpiresSoon(NaiveDate),
    /// No longer what its name says.
    Expired(NaiveDate),
    /// Not in our table: newer than this program, or never released.
    Unlisted,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an API version such as v25.0")]
pub struct VersionError(String);

type YearMonthDay = (i32, u32, u32);

/// When each version expires. Meta: Graph API changelog, read in September 2026.
const EXPIRY: &[(u16, Option<YearMonthDay>)] = &[
    (26, None),
    (25, Some((2028, 7, 29))),
    (24, Some((2028, 2, 18))),
    (23, Some((2027, 10, 8))),
    (22, Some((2027, 5, 20))),
    (21, Some((2027, 1, 21))),
    (20, Some((2026, 9, 24))),
    (19, Some((2026, 5, 21))),
    (18, Some((2026, 1, 26))),
    (17, Some((2025, 9, 12))),
];

impl ApiVersion {
    /// What Meta's own pages use in September 2026.
    pub const DEFAULT: Self = Self {
        major: 25,
        minor: 0,
    };

    /// How this version stands on a day.
    pub fn standing(self, today: NaiveDate) -> Standing {
        if EXPIRY.iter().all(|(major, _)| *major < self.major) {
            return Standing::Unlisted;
        }
        // The table is newest first, so an older version than all of it counts as its last.
        let listed = EXPIRY.iter().find(|(major, _)| *major <= self.major);
        let Some((_, Some((year, month, day)))) = listed.or(EXPIRY.last()) else {
            return Standing::Living;
        };
        let Some(expiry) = NaiveDate::from_ymd_opt(*year, *month, *day) else {
            return Standing::Unlisted;
        };
        if expiry <= today {
            Standing::Expired(expiry)
        } else if expiry - today <= TimeDelta::days(90) {
            Standing::ExpiresSoon(expiry)
        } else {
            Standing::Living
        }
    }
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if !(1..=3).contains(&major.len())
                || minor.len() != 1
                || !digits(major)
                || !digits(minor)
            {
                return None;
            }
            Some(Self {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            })
        };
        parse().ok_or_else(|| VersionError(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(version: &str, year: i32, month: u32, day: u32) -> Standing {
        let version: ApiVersion = version.parse().expect("a version");
        version.standing(NaiveDate::from_ymd_opt(year, month, day).expect("a date"))
    }

    #[test]
    fn versions_are_read_strictly() {
        assert_eq!("v25.0".parse(), Ok(ApiVersion::DEFAULT));
        for text in [
            "25.0", "v25", "v.0", "v25.00", "v1000.0", "v+5.0", "v25.0/", "V25.0", "",
        ] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_operator_hears_of_an_expiry_in_time() {
        let end = NaiveDate::from_ymd_opt(2027, 1, 21).expect("a date");
        assert_eq!(standing("v21.0", 2026, 10, 22), Standing::Living);
        assert_eq!(standing("v21.0", 2026, 10, 23), Standing::ExpiresSoon(end));
        assert_eq!(standing("v21.0", 2027, 1, 20), Standing::ExpiresSoon(end));
        assert_eq!(standing("v21.0", 2027, 1, 21), Standing::Expired(end));
        assert_eq!(standing("v26.0", 2030, 1, 1), Standing::Living);
        assert_eq!(standing("v27.0", 2026, 11, 1), Standing::Unlisted);
        assert!(matches!(
            standing("v2.0", 2026, 11, 1),
            Standing::Expired(_)
        ));
    }
}
