//! Other people's words, made fit to be shown.

use std::fmt;

/// A short piece of what a provider or a browser sent, for an administrator's eyes: printable
/// ASCII, at most [`Shown::MAX`] characters. `Debug` leaves it out, since providers put e-mail
/// addresses into their messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// The longest text that is shown, in characters.
    pub const MAX: usize = 120;

    pub(crate) fn new(text: &str) -> Self {
        let printable = |letter: char| match letter {
            ' ' => ' ',
            // Quotes and angle brackets could end or begin something where this is shown.
            '"' | '\'' | '<' | '>' | '`' | '&' => '?',
            letter if letter.is_ascii_graphic() => letter,
            _ => '?',
        };
        Self(text.chars().take(Self::MAX).map(printable).collect())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "(nothing)"
        } else {
            &self.0
        })
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({} characters)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_but_short_plain_text_is_shown(text in "\\PC*|[\\x00-\\x7f]*") {
            let shown = Shown::new(&text).to_string();
            prop_assert!(shown.len() <= Shown::MAX);
            prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
            prop_assert!(!shown.contains(['<', '>', '"', '\'', '&']));
        }
    }
}
