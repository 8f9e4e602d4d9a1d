use std::{collections::BTreeSet, fmt};

use super::Validate;

/// One thing wrong with the configuration. Its text never holds a configured value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where an operator finds it: a variable name, or a file and key.
    place: String,
    /// The dotted keys concerned; empty for problems outside the key tree.
    keys: Vec<String>,
    message: String,
}

impl Problem {
    /// The dotted keys concerned.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Everything wrong with a configuration, reported together.
///
/// Also what [`Validate`](super::Validate) writes to: keys are dotted and relative to the section
/// being validated, see [`within`](Problems::within).
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// Variable prefix of the service (`MESSAGING__`); empty names keys as they are.
    env_prefix: String,
    /// Section being validated, with a trailing dot.
    section: String,
    /// Keys that hold a stand-in because they were missing or malformed: nothing said about them
    /// afterwards is news.
    stand_ins: BTreeSet<String>,
}

impl Problems {
    /// An empty list whose keys are shown as variables of `service`.
    pub(crate) fn of_service(service: &str) -> Self {
        Self {
            env_prefix: super::layers::env_prefix(service),
            ..Self::default()
        }
    }

    /// Says that the value of `key` cannot be used.
    pub fn invalid(&mut self, key: &str, message: impl Into<String>) {
        self.conflict(&[key], message);
    }

    /// Says that the values of `keys` contradict each other.
    pub fn conflict(&mut self, keys: &[&str], message: impl Into<String>) {
        let keys: Vec<String> = keys
            .iter()
            .map(|key| format!("{}{key}", self.section))
            .collect();
        if keys.iter().any(|key| self.stands_in(key)) {
            return;
        }
        let place = keys
            .iter()
            .map(|key| self.env_name(key))
            .collect::<Vec<_>>()
            .join(", ");
        self.found.push(Problem {
            place,
            keys,
            message: message.into(),
        });
    }

    /// Validates a section: keys named inside `check` are relative to `section`.
    pub fn within(&mut self, section: &str, check: impl FnOnce(&mut Self)) {
        let outer = self.section.clone();
        self.section = format!("{outer}{section}.");
        check(self);
        self.section = outer;
    }

    /// Lets a section look at itself.
    pub fn section(&mut self, name: &str, section: &impl Validate) {
        self.within(name, |problems| section.validate(problems));
    }

    /// Takes over what a crate that does not know this one found in its section: each text is
    /// `field: sentence`, or a sentence about the section as a whole.
    pub fn reported(&mut self, section: &str, found: impl IntoIterator<Item = String>) {
        for problem in found {
            match problem.split_once(": ") {
                Some((field, sentence)) => self.invalid(&format!("{section}.{field}"), sentence),
                None => self.invalid(section, problem),
            }
        }
    }

    /// Says of each value below `least` that it must not be.
    pub fn at_least(&mut self, least: u64, values: &[(&str, u64)]) {
        for (key, _) in values.iter().filter(|(_, value)| *value < least) {
            self.invalid(key, format!("must be at least {least}"));
        }
    }

    /// Says what is wrong at `place`, a variable or file outside the key tree.
    pub(crate) fn at(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.found.push(Problem {
            place: place.into(),
            keys: Vec::new(),
            message: message.into(),
        });
    }

    /// Like [`at`](Self::at), remembering which key it was.
    pub(crate) fn key_at(
        &mut self,
        key: &str,
        place: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.found.push(Problem {
            place: place.into(),
            keys: vec![key.to_owned()],
            message: message.into(),
        });
    }

    pub(crate) fn stand_in(&mut self, key: &str) {
        self.stand_ins.insert(key.to_owned());
    }

    fn stands_in(&self, key: &str) -> bool {
        self.stand_ins.iter().any(|known| is_within(key, known))
    }

    /// The variable that sets `key`.
    pub(crate) fn env_name(&self, key: &str) -> String {
        if self.env_prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}{}", self.env_prefix, super::layers::env_suffix(key))
        }
    }

    /// True if nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The problems in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.found.iter()
    }

    /// Takes over the problems of `other`.
    pub fn append(&mut self, other: Problems) {
        self.found.extend(other.found);
    }

    /// `Ok(value)` if nothing is wrong, else the list.
    ///
    /// # Errors
    /// The list itself, when it is not empty.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Problems> {
        if self.found.is_empty() {
            return Ok(value);
        }
        let mut seen = BTreeSet::new();
        self.found.retain(|problem| seen.insert(problem.clone()));
        Err(self)
    }
}

/// True if `key` is `ancestor` or lies under it.
pub(crate) fn is_within(key: &str, ancestor: &str) -> bool {
    key.strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.found.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "configuration cannot be used: {count} {noun}")?;
        for problem in &self.found {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Limits {
        low: u64,
        high: u64,
    }

    impl Validate for Limits {
        fn validate(&self, problems: &mut Problems) {
            problems.at_least(2, &[("low", self.low), ("high", self.high)]);
        }
    }

    #[test]
    fn what_sections_and_other_crates_say_is_told_by_variable() {
        let mut problems = Problems::of_service("app");
        problems.section("limits", &Limits { low: 1, high: 2 });
        let found = [
            "url: expected a scheme: a://b",
            "leaves nothing for requests",
        ];
        problems.reported("db", found.map(str::to_owned));
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "APP__LIMITS__LOW: must be at least 2",
                "APP__DB__URL: expected a scheme: a://b",
                "APP__DB: leaves nothing for requests",
            ]
        );
    }
}
