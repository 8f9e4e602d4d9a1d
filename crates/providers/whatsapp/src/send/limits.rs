//! Checking content against Meta's limits.

use std::{fmt, fmt::Write};

use errors::{Classify, Code, FieldViolation, codes};
use url::Url;

/// Everything about a message that WhatsApp would not accept, by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// The fields and what is wrong with each.
    pub fn as_slice(&self) -> &[FieldViolation] {
        &self.0
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message is outside WhatsApp's limits: ")?;
        for (at, violation) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", violation.field)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

impl Classify for Violations {
    fn code(&self) -> &'static Code {
        &codes::CONTENT_INVALID
    }

    fn fields(&self) -> Vec<FieldViolation> {
        self.0.clone()
    }
}

/// Collects violations while walking through a message.
#[derive(Debug, Default)]
pub(crate) struct Check {
    path: String,
    found: Vec<FieldViolation>,
}

impl Check {
    pub(crate) fn finish(self) -> Result<(), Violations> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(Violations(self.found))
        }
    }

    /// Walks into a field.
    pub(crate) fn field(&mut self, name: &str, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        walk(self);
        self.path.truncate(length);
    }

    /// Walks into each element of a list.
    pub(crate) fn each<T>(&mut self, name: &str, list: &[T], walk: impl Fn(&mut Self, &T)) {
        for (at, element) in list.iter().enumerate() {
            let mut indexed = name.to_owned();
            // Writing to a String can't fail.
            let _infallible = write!(indexed, "[{at}]");
            self.field(&indexed, |check| walk(check, element));
        }
    }

    /// The present field is wrong.
    pub(crate) fn wrong(&mut self, message: impl Into<String>) {
        self.found
            .push(FieldViolation::new(self.path.clone(), message));
    }

    /// A text of 1 to `max` units.
    pub(crate) fn text(&mut self, name: &str, text: &str, max: usize) {
        self.field(name, |check| {
            if text.trim().is_empty() {
                check.wrong("must not be empty");
            }
            check.max(text, max);
        });
    }

    /// A text that may be missing, but not empty.
    pub(crate) fn optional(&mut self, name: &str, text: Option<&String>, max: usize) {
        if let Some(text) = text {
            self.text(name, text, max);
        }
    }

    /// Meta does not say what a character is; UTF-16 units are the strictest reading.
    pub(crate) fn max(&mut self, text: &str, max: usize) {
        let units = text.encode_utf16().count();
        if units > max {
            self.wrong(format!("has {units} characters; at most {max} are allowed"));
        }
    }

    /// A list of `min` to `max` elements.
    pub(crate) fn count<T>(&mut self, name: &str, list: &[T], min: usize, max: usize) {
        let count = list.len();
        if !(min..=max).contains(&count) {
            self.field(name, |check| {
                check.wrong(format!("has {count} entries; {min} to {max} are allowed"));
            });
        }
    }

    /// No two elements with the same key.
    pub(crate) fn distinct<'t>(
        &mut self,
        name: &str,
        what: &str,
        keys: impl Iterator<Item = &'t str>,
    ) {
        let mut seen = std::collections::HashSet::new();
        for key in keys {
            if !seen.insert(key) {
                self.field(name, |check| {
                    check.wrong(format!("has the same {what} twice"));
                });
                return;
            }
        }
    }

    /// An absolute web address.
    pub(crate) fn web_address(&mut self, name: &str, text: &str) {
        self.field(name, |check| {
            let web = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !web {
                check.wrong("must be a web address (https://…)");
            }
            check.max(text, 2000);
        });
    }

    /// The field does not belong here.
    pub(crate) fn absent(&mut self, name: &str, is_present: bool, why: &str) {
        if is_present {
            self.field(name, |check| check.wrong(why));
        }
    }
}
