//! The value a filter compares with.

use std::borrow::Cow;

use serde_json::Number;

#[derive(Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(Number),
    Boolean(bool),
    Null,
}

impl Literal {
    /// As a text attribute has it.
    pub(crate) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Boolean(_) | Self::Null => None,
        }
    }

    /// As a truth value, which Entra quotes: `primary eq "True"`.
    pub(crate) fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Self::Text(_) | Self::Number(_) | Self::Null => None,
        }
    }
}
