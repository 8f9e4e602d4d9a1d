//! How a number is doing: what WhatsApp says of it, its account and its token.

mod diagnosis;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use self::diagnosis::{Diagnosis, Severity, diagnose, state};

/// What a token needs.
const PERMISSIONS: [&str; 2] = [
    "whatsapp_business_management",
    "whatsapp_business_messaging",
];

/// All that is known. Words are WhatsApp's in lower case; empty is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) number_status: String,
    pub(crate) quality_rating: String,
    pub(crate) messaging_limit: String,
    pub(crate) throughput_level: String,
    pub(crate) name_status: String,
    pub(crate) name_reason: String,
    pub(crate) code_verification: String,
    pub(crate) account_review: String,
    pub(crate) ban_state: String,
    pub(crate) ban_date: String,
    pub(crate) restrictions: Vec<Restriction>,
    pub(crate) can_send: String,
    pub(crate) obstacles: Vec<Obstacle>,
    pub(crate) token: Token,
    pub(crate) token_expires_at: Option<DateTime<Utc>>,
    pub(crate) token_missing: Vec<String>,
    pub(crate) webhooks: Webhooks,
    pub(crate) webhook_host: String,
    pub(crate) pin_reset_at: Option<DateTime<Utc>>,
    pub(crate) checked_at: Option<DateTime<Utc>>,
    pub(crate) tried_at: Option<DateTime<Utc>>,
    pub(crate) failure: String,
    pub(crate) failure_hint: String,
    pub(crate) failing_since: Option<DateTime<Utc>>,
    pub(crate) told_at: Option<DateTime<Utc>>,
    /// What was last told of.
    pub(crate) diagnosis: Vec<String>,
}

/// Something the account may not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Restriction {
    pub(crate) kind: String,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// What WhatsApp says is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Obstacle {
    pub(crate) entity: String,
    pub(crate) code: i64,
    pub(crate) description: String,
    pub(crate) solution: String,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Token {
    #[default]
    Unknown,
    Valid,
    Refused,
    NoAccess,
}

impl Token {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Valid => "valid",
            Self::Refused => "refused",
            Self::NoAccess => "no_access",
        }
    }

    pub(crate) fn read(word: &str) -> Self {
        match word {
            "valid" => Self::Valid,
            "refused" => Self::Refused,
            "no_access" => Self::NoAccess,
            _ => Self::Unknown,
        }
    }
}

/// Whether what customers write is handed to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Webhooks {
    #[default]
    Unknown,
    Subscribed,
    Missing,
}

impl Webhooks {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Subscribed => "subscribed",
            Self::Missing => "missing",
        }
    }

    pub(crate) fn read(word: &str) -> Self {
        match word {
            "subscribed" => Self::Subscribed,
            "missing" => Self::Missing,
            _ => Self::Unknown,
        }
    }
}

/// A word of WhatsApp's as the table has it. What says nothing is empty.
pub(crate) fn word(text: Option<&str>) -> String {
    match text.map(str::to_ascii_lowercase) {
        Some(word) if word != "na" && word != "none" => word,
        _ => String::new(),
    }
}

/// A messaging limit, which comes as a word or as a number: `tier_2k`.
pub(crate) fn limit(text: &str) -> String {
    match text {
        "-1" => "tier_unlimited".to_owned(),
        "50" | "250" => format!("tier_{text}"),
        number if number.parse::<u32>().is_ok_and(|count| count % 1_000 == 0) => {
            format!("tier_{}k", number.trim_end_matches("000"))
        }
        word => word.to_ascii_lowercase(),
    }
}

/// The permissions that a token lacks.
pub(crate) fn missing_permissions(scopes: &[String]) -> Vec<String> {
    let has = |wanted: &&str| scopes.iter().any(|scope| scope == *wanted);
    let missing = PERMISSIONS.iter().filter(|wanted| !has(wanted));
    missing.map(|wanted| (*wanted).to_owned()).collect()
}

impl Health {
    /// WhatsApp did not answer.
    pub(crate) fn fail(&mut self, failure: &str, hint: &str, now: DateTime<Utc>) {
        failure.clone_into(&mut self.failure);
        hint.clone_into(&mut self.failure_hint);
        self.failing_since = self.failing_since.or(Some(now));
        self.tried_at = Some(now);
    }

    /// WhatsApp answered.
    pub(crate) fn succeed(&mut self, now: DateTime<Utc>) {
        self.failure.clear();
        self.failure_hint.clear();
        self.failing_since = None;
        self.tried_at = Some(now);
        self.checked_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_same_however_it_is_written() {
        for (text, expected) in [
            ("TIER_2K", "tier_2k"),
            ("2000", "tier_2k"),
            ("250", "tier_250"),
            ("100000", "tier_100k"),
            ("10000", "tier_10k"),
            ("-1", "tier_unlimited"),
            ("TIER_UNLIMITED", "tier_unlimited"),
            ("TIER_OF_TOMORROW", "tier_of_tomorrow"),
        ] {
            assert_eq!(limit(text), expected, "{text}");
        }
    }

    #[test]
    fn both_permissions_are_needed() {
        let scopes = ["whatsapp_business_messaging", "email"].map(str::to_owned);
        assert_eq!(
            missing_permissions(&scopes),
            ["whatsapp_business_management"]
        );
    }
}
