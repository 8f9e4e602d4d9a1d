//! Names that people chose, as a letter shows them.

/// Longer names are cut: a name is not a place for a message.
const MAX: usize = 60;

/// The name on one line, cut, or `instead` if it is empty or looks like an address. Anybody can sign up under any name
/// and have us write to strangers: mail programs make links of addresses, and ours vouches for none of theirs.
pub(crate) fn shown(name: &str, instead: &'static str) -> String {
    let words: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || c.is_control() || turns_text(c))
        .filter(|word| !word.is_empty())
        .collect();
    let name = words.join(" ");
    if name.is_empty() || has_address(&name) {
        return instead.to_owned();
    }
    match name.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// Marks that change the direction of the text behind them.
const fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `evil.example`, `a@b`, `https://…`: a dot or an at sign between letters, or a scheme.
fn has_address(name: &str) -> bool {
    let joins = |c: char| c == '.' || c == '@' || c == '/';
    let chars: Vec<char> = name.chars().collect();
    name.contains("://")
        || chars.windows(4).any(|of| {
            let [before, join, after, more] = of else {
                return false;
            };
            joins(*join) && [before, after, more].iter().all(|c| c.is_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_shown_and_addresses_are_not() {
        for (name, expected) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("J. R. Hartley", "J. R. Hartley"),
            ("Müller & Söhne", "Müller & Söhne"),
            ("A/B", "A/B"),
            ("Ada\r\nBcc: eve", "Ada Bcc: eve"),
            ("Ada\u{202e}gnp", "Ada gnp"),
            ("", "somebody"),
            (" \n", "somebody"),
            ("You won! https://evil", "somebody"),
            ("claim at evil.example now", "somebody"),
            ("eve@evil.example", "somebody"),
        ] {
            assert_eq!(shown(name, "somebody"), expected, "{name:?}");
        }
        assert_eq!(
            shown(&"ä".repeat(61), "somebody"),
            format!("{}…", "ä".repeat(60))
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_a_line_or_takes_more_than_its_place(name in "\\PC*|[\\s\\S]{0,200}") {
            let shown = shown(&name, "somebody");
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!((1..=MAX + 1).contains(&shown.chars().count()));
        }
    }
}
