use std::{str::FromStr, time::Duration};

use secrecy::SecretString;

use crate::config::{EnvSource, Problems, unreadable};

/// Reads single variables, remembering what was wrong with them.
pub(super) struct Reader<'a> {
    env: &'a EnvSource,
    problems: &'a mut Problems,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(env: &'a EnvSource, problems: &'a mut Problems) -> Self {
        Self {
            env,
            problems,
            warnings: Vec::new(),
        }
    }

    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    pub(super) fn problem(&mut self, name: &str, message: &str) {
        self.problems.at(name, message);
    }

    pub(super) fn warn(&mut self, name: &str, message: &str) {
        let warning = format!("{name}: {message}");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.env.get(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.env.get(name).map(|value| value.trim().to_owned())
    }

    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.text(name)?;
        let items = text.split(',').map(str::trim).filter(|i| !i.is_empty());
        Some(items.map(str::to_owned).collect())
    }

    /// True only for `true`, as the OpenTelemetry specification has it.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.text(name) {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => {
                self.problem(name, "expected true or false");
                false
            }
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        self.parse(name, "expected a number")
    }

    pub(super) fn milliseconds(&mut self, name: &str) -> Option<Duration> {
        self.parse(name, "expected a whole number of milliseconds")
            .map(Duration::from_millis)
    }

    fn parse<T: FromStr>(&mut self, name: &str, message: &str) -> Option<T> {
        let value = self.text(name)?.parse().ok();
        if value.is_none() {
            self.problem(name, message);
        }
        value
    }

    /// One of `choices`; another value is a problem.
    pub(super) fn choice(&mut self, name: &str, choices: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        let chosen = choices.iter().find(|choice| **choice == text).copied();
        if chosen.is_none() {
            self.problem(name, &format!("expected one of: {}", choices.join(", ")));
        }
        chosen
    }

    /// A value, or the content of the file that `<name>_FILE` names; both is a problem.
    pub(super) fn secret(&mut self, name: &str) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        match (self.text(name), self.text(&file_name)) {
            (Some(_), Some(_)) => {
                let both = format!("{name}, {file_name}");
                self.problem(&both, "give the value or the file, not both");
                None
            }
            (Some(value), None) => Some(value.into()),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => Some(text.trim().to_owned().into()),
                Err(error) => {
                    self.problem(
                        &file_name,
                        &format!("file cannot be read: {}", unreadable(&error)),
                    );
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// `key=value,…` with percent-encoded values, as W3C baggage writes it.
    pub(super) fn pairs(&mut self, name: &str) -> Vec<(String, String)> {
        let text = self.text(name).unwrap_or_default();
        let pairs = pairs(&text);
        if pairs.is_none() {
            self.problem(name, "expected key=value,key=value");
        }
        pairs.unwrap_or_default()
    }
}

/// Parses `key=value,…`; `None` if an item has no `=` or a broken escape.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| {
            let (key, value) = item.split_once('=')?;
            let key = key.trim();
            (!key.is_empty()).then_some(())?;
            Some((key.to_owned(), percent_decode(value.trim())?))
        })
        .collect()
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
