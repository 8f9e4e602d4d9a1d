//! A place in a filter's text, and what stands there.

use crate::Fault;

pub(super) struct Cursor<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Cursor<'text> {
    pub(super) const fn new(text: &'text str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Only to where it has been.
    pub(super) const fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether it stands here, without a space before it.
    pub(super) fn is_directly(&self, expected: char) -> bool {
        self.text[self.at..].starts_with(expected)
    }

    /// A JSON string, with JSON's escapes. The cursor is at its quotation mark.
    pub(super) fn quoted(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let mut is_escaped = false;
        let closing = self.text[start + 1..].find(|char| {
            let closes = char == '"' && !is_escaped;
            is_escaped = char == '\\' && !is_escaped;
            closes
        });
        let Some(length) = closing else {
            return Err(self.fault("a quotation mark is missing"));
        };
        self.at = start + 1 + length + 1;
        let text: String = serde_json::from_str(&self.text[start..self.at])
            .map_err(|_| fault_at(start, "a text is not a JSON string"))?;
        // No index and no name contains it; the database would refuse to look.
        if text.contains('\0') {
            return Err(fault_at(start, "a text contains a NUL character"));
        }
        Ok(text)
    }

    /// The characters of names, URNs, operators and numbers from here on; empty if there is none.
    pub(super) fn word(&mut self) -> &'text str {
        let rest = &self.text[self.at..];
        let is_part = |char: char| char.is_ascii_alphanumeric() || ".:_-$+".contains(char);
        let length = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Takes the word if it stands next, whatever its case.
    pub(super) fn eat_word(&mut self, expected: &str) -> bool {
        self.skip_spaces();
        let start = self.at;
        let is_next = self.word().eq_ignore_ascii_case(expected);
        if !is_next {
            self.at = start;
        }
        is_next
    }

    pub(super) fn eat(&mut self, expected: char) -> bool {
        let is_next = self.peek() == Some(expected);
        if is_next {
            self.at += expected.len_utf8();
        }
        is_next
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip_spaces();
        self.text[self.at..].chars().next()
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
    }

    pub(super) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("it should end here")),
        }
    }

    pub(super) fn fault(&self, problem: &'static str) -> Fault {
        fault_at(self.at, problem)
    }
}

pub(super) fn fault_at(at: usize, problem: &'static str) -> Fault {
    Fault { at, problem }
}
