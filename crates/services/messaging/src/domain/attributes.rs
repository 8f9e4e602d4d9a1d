//! Typed attributes of contacts: what a value of each kind may be.

use chrono::NaiveDate;
use proto::messaging::v1::AttributeKind;
use serde_json::Value;

/// Characters of a text, and of an address.
const LONGEST: usize = 1_000;

/// The kind of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Boolean,
    Date,
    Choice,
    Link,
}

impl Kind {
    /// The stored word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Choice => "choice",
            Self::Link => "link",
        }
    }

    /// `None` for a word that is no kind.
    fn from_word(word: &str) -> Option<Self> {
        let all = [
            Self::Text,
            Self::Number,
            Self::Boolean,
            Self::Date,
            Self::Choice,
            Self::Link,
        ];
        all.into_iter().find(|kind| kind.word() == word)
    }

    /// `None` where no kind is named.
    pub(crate) const fn from_wire(kind: AttributeKind) -> Option<Self> {
        Some(match kind {
            AttributeKind::Unspecified => return None,
            AttributeKind::Text => Self::Text,
            AttributeKind::Number => Self::Number,
            AttributeKind::Boolean => Self::Boolean,
            AttributeKind::Date => Self::Date,
            AttributeKind::Choice => Self::Choice,
            AttributeKind::Link => Self::Link,
        })
    }

    pub(crate) const fn to_wire(self) -> AttributeKind {
        match self {
            Self::Text => AttributeKind::Text,
            Self::Number => AttributeKind::Number,
            Self::Boolean => AttributeKind::Boolean,
            Self::Date => AttributeKind::Date,
            Self::Choice => AttributeKind::Choice,
            Self::Link => AttributeKind::Link,
        }
    }

    /// What is wrong with a value of this kind, for the person who wrote it.
    pub(crate) fn fault(self, options: &[String], value: &Value) -> Option<&'static str> {
        let text = value.as_str();
        let short = |text: &&str| !text.is_empty() && text.chars().count() <= LONGEST;
        let (right, otherwise) = match self {
            Self::Text => (
                text.as_ref().is_some_and(short),
                "must be a text of 1 to 1000 characters",
            ),
            Self::Number => (value.is_number(), "must be a number"),
            Self::Boolean => (value.is_boolean(), "must be true or false"),
            Self::Date => (
                text.is_some_and(is_date),
                "must be a date such as 2026-11-23",
            ),
            Self::Choice => (
                text.is_some_and(|text| options.iter().any(|option| option == text)),
                "must be one of the attribute's options",
            ),
            Self::Link => (
                text.filter(short).is_some_and(is_link),
                "must be an https address of at most 1000 characters",
            ),
        };
        (!right).then_some(otherwise)
    }
}

/// Exactly as it is written back: chrono would take `2026-1-2`.
fn is_date(text: &str) -> bool {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok_and(|date| date.to_string() == text)
}

/// A host must follow, and nothing that ends an address in a text.
fn is_link(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
    })
}

impl sqlx::Type<sqlx::Postgres> for Kind {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <str as sqlx::Type<sqlx::Postgres>>::type_info()
    }

    fn compatible(of: &sqlx::postgres::PgTypeInfo) -> bool {
        <str as sqlx::Type<sqlx::Postgres>>::compatible(of)
    }
}

impl<'r> sqlx::Decode<'r, sqlx::Postgres> for Kind {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let word = <&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?;
        Self::from_word(word).ok_or_else(|| format!("`{word}` is no kind of attribute").into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_fits_its_kind_and_no_other() {
        let options = ["gold".to_owned(), "silver".to_owned()];
        let fits = |kind: Kind, value: Value| kind.fault(&options, &value).is_none();
        let right = [
            (Kind::Text, json!("anything")),
            (Kind::Number, json!(-1.5)),
            (Kind::Boolean, json!(false)),
            (Kind::Date, json!("2028-02-29")),
            (Kind::Choice, json!("gold")),
            (Kind::Link, json!("https://example.com/a?b=c#d")),
        ];
        for (kind, value) in right {
            assert!(fits(kind, value.clone()), "{kind:?} {value}");
        }
        let wrong = [
            (Kind::Text, json!("")),
            (Kind::Text, json!("x".repeat(1_001))),
            (Kind::Text, json!(1)),
            (Kind::Number, json!("1")),
            (Kind::Boolean, json!("true")),
            (Kind::Date, json!("2026-02-29")),
            (Kind::Date, json!("2026-2-9")),
            (Kind::Date, json!("+026-02-09")),
            (Kind::Choice, json!("Gold")),
            (Kind::Link, json!("http://example.com")),
            (Kind::Link, json!("https://")),
            (Kind::Link, json!("https://example.com/ javascript")),
        ];
        for (kind, value) in wrong {
            assert!(!fits(kind, value.clone()), "{kind:?} {value}");
        }
    }

    #[test]
    fn every_kind_has_a_word_and_a_wire_form_of_its_own() {
        for kind in [
            AttributeKind::Text,
            AttributeKind::Number,
            AttributeKind::Boolean,
            AttributeKind::Date,
            AttributeKind::Choice,
            AttributeKind::Link,
        ] {
            let known = Kind::from_wire(kind).expect("a kind");
            assert_eq!(known.to_wire(), kind);
            assert_eq!(Kind::from_word(known.word()), Some(known));
        }
        assert_eq!(Kind::from_wire(AttributeKind::Unspecified), None);
        assert_eq!(Kind::from_word("json"), None);
    }
}
