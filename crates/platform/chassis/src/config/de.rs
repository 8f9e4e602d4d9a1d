//! A serde deserializer over the merged tree that notes what it meets: the kind of every value
//! asked for, keys nobody asked for, and values that are missing.

mod access;
mod error;
mod reader;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

pub(super) use error::Error;
pub(super) use reader::Reader;

/// What a value is, as far as an operator must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Choice(&'static [&'static str]),
    List,
    Map,
    Any,
}

/// What one or several passes found out.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Every value asked for, in the order of declaration.
    pub(super) kinds: Vec<(String, Kind)>,
    /// Values that are required and were not given.
    pub(super) missing: BTreeSet<String>,
    /// Key, place and message of whatever else is wrong.
    pub(super) wrong: BTreeSet<(String, String, String)>,
}

/// Settings of one pass.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Ask for every key there is, not only for those that were given.
    pub(super) probing: bool,
    /// Values to replace by a stand-in: missing, or found to be unusable in an earlier pass.
    pub(super) stand_ins: BTreeSet<String>,
    /// Which stand-in text to offer where an earlier one was refused.
    pub(super) attempts: BTreeMap<String, usize>,
    /// Places already reported, so that what is below them is not reported again.
    pub(super) reported: BTreeSet<String>,
    /// Keys that a probing pass leaves out because no stand-in was accepted.
    pub(super) skipped: BTreeSet<String>,
    pub(super) notes: RefCell<Notes>,
}

impl Pass {
    fn note_kind(&self, path: &str, kind: &Kind) {
        let kinds = &mut self.notes.borrow_mut().kinds;
        if !kinds.iter().any(|(known, _)| known == path) {
            kinds.push((path.to_owned(), kind.clone()));
        }
    }

    fn note_missing(&self, path: &str) {
        let reported = |known: &String| super::problems::is_within(path, known);
        if !self.probing && !self.reported.iter().any(reported) {
            self.notes.borrow_mut().missing.insert(path.to_owned());
        }
    }

    fn note_wrong(&self, key: &str, place: &str, message: impl Into<String>) {
        self.notes
            .borrow_mut()
            .wrong
            .insert((key.to_owned(), place.to_owned(), message.into()));
    }

    /// The text that stands for the value at `path`; `None` when every kind of text was refused.
    fn stand_in_text(&self, path: &str) -> Option<String> {
        match self.attempts.get(path).copied().unwrap_or(0) {
            0 => Some(marker(path)),
            attempt => STAND_INS.get(attempt - 1).map(|text| (*text).to_owned()),
        }
    }
}

/// A text unique to `path`, by which a value can be recognised in debug output.
pub(super) fn marker(path: &str) -> String {
    format!("x-{}-x", path.replace(['.', '[', ']', '_'], "-"))
}

/// Texts that most parsed types accept one of: URLs, addresses, numbers, durations, paths, dates,
/// ids and 32-byte keys in base64 and hexadecimal.
pub(super) const STAND_INS: [&str; 11] = [
    "http://127.0.0.1:1",
    "127.0.0.1:1",
    "127.0.0.1",
    "1",
    "1s",
    "/x",
    "x@example.test",
    "2000-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "0000000000000000000000000000000000000000000000000000000000000000",
];
