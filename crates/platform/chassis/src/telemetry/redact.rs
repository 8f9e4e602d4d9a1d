//! Takes out of a text what must not leave the process in it. A last line of defence for texts
//! that nobody wrote for a reader: panic messages and what goes to the error tracker.

/// Digits in a row (spaces and dashes aside) that may be a phone number.
const PHONE_DIGITS: usize = 7;
/// Letters and digits in a row that may be a token; longer than our longest typed id.
const TOKEN_LENGTH: usize = 41;

/// Replaces e-mail addresses, credentials in URLs, long numbers and long opaque words. Typed ids,
/// UUIDs and trace ids stay.
pub(crate) fn text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(is_separator).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        clean.push_str(replacement(word).unwrap_or(word));
        let gap_end = after
            .find(|c: char| !is_separator(c))
            .unwrap_or(after.len());
        let (gap, next) = after.split_at(gap_end);
        clean.push_str(gap);
        rest = next;
    }
    clean
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '`' | ',' | ';' | '<' | '>' | '(' | ')' | '='
        )
}

fn replacement(word: &str) -> Option<&'static str> {
    if word.contains('@') {
        return Some("[address]");
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let phone = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ':' | '[' | ']');
    if digits >= PHONE_DIGITS && word.chars().all(phone) {
        return Some("[number]");
    }
    let longest = word
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map(str::len)
        .max();
    // Paths and type names are long too, but have no digits to speak of.
    (longest >= Some(TOKEN_LENGTH) && digits > 2).then_some("[token]")
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn addresses_numbers_and_tokens_are_taken_out() {
        let dirty = format!(
            "to +60123456789 or \"a@b.example\" at postgres://u:p@h/d with EAA{}",
            "x1".repeat(40)
        );
        assert_eq!(
            text(&dirty),
            "to [number] or \"[address]\" at [address] with [token]"
        );
    }

    #[test]
    fn ids_and_ordinary_words_stay() {
        for clean in [
            "conversation cv_01jd3k9zv8e5x9k2m4n6p8q0rs is closed, 24 hours",
            "0af7651916cd43dd8448eb211c80319c",
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "chassis::config::tests::the_settings_of_the_chassis_itself_are_documented",
            "",
            " ; ",
        ] {
            assert_eq!(text(clean), clean);
        }
    }
}
