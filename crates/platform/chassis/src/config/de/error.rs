use std::fmt;

use serde::de;

/// Why a pass stopped: where, and what was wrong there. Never quotes the value.
#[derive(Debug)]
pub(in crate::config) struct Error {
    /// Set by the reader nearest to the value.
    pub(in crate::config) path: Option<String>,
    /// Where the value was written.
    pub(in crate::config) place: Option<String>,
    pub(in crate::config) missing: Option<&'static str>,
    pub(in crate::config) message: String,
}

impl Error {
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self {
            path: None,
            place: None,
            missing: None,
            message: message.into(),
        }
    }

    /// Fills in the place, unless one nearer to the value already did.
    pub(super) fn at(mut self, path: &str, place: Option<String>) -> Self {
        if self.path.is_none() {
            self.place = place;
            self.path = Some(match self.missing {
                Some(field) => join(path, field),
                None => path.to_owned(),
            });
        }
        self
    }

    /// The same without its text.
    pub(super) fn unquoted(self) -> Self {
        Self {
            message: "not valid".to_owned(),
            ..self
        }
    }
}

/// Appends a key to a dotted path.
pub(in crate::config) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::wrong(message.to_string())
    }

    // The three below drop what was found: it may be a secret.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::wrong(format!("expected {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::wrong(format!("expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::wrong(one_of(expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            path: None,
            place: None,
            missing: Some(field),
            message: "missing".to_owned(),
        }
    }
}

pub(super) fn one_of(choices: &[&str]) -> String {
    format!("expected one of: {}", choices.join(", "))
}
