//! Takes out of a text what must not leave the process in it. A last line of defence for texts
//! that nobody wrote for a reader: panic messages and what goes to the error tracker.

/// Digits in a row (blanks, dashes and brackets aside) that may be a phone number.
const PHONE_DIGITS: usize = 7;
/// Letters and digits of a UUID between its dashes.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
/// Letters and digits in a row that may be a token; longer than our longest typed id.
const TOKEN_LENGTH: usize = 41;

/// Replaces e-mail addresses, credentials in URLs, long numbers and long opaque words. Typed ids,
/// UUIDs and trace ids stay.
pub(crate) fn text(text: &str) -> String {
    without_numbers(&without_words(text))
}

fn without_words(text: &str) -> String {
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
    let longest = word
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map(str::len)
        .max();
    // Paths and type names are long too, but have no digits to speak of.
    (longest >= Some(TOKEN_LENGTH) && digits > 2).then_some("[token]")
}

/// Takes out phone numbers, as machines write them and as people do: `+60 (12) 345-6789`.
fn without_numbers(text: &str) -> String {
    let starts_number = |c: char| c == '+' || c.is_ascii_digit();
    let goes_on = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '+' | '(' | ')' | '.' | '-');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(starts_number) {
        let (gap, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !goes_on(c)).unwrap_or(from.len()));
        let number = run.trim_end_matches(|c: char| !c.is_ascii_digit());
        let (_, behind) = from.split_at(number.len());
        let before = text.split_at(text.len() - from.len()).0;
        clean.push_str(gap);
        if is_phone(before, number, behind) {
            clean.push_str("[number]");
            clean.push_str(run.split_at(number.len()).1);
        } else {
            clean.push_str(run);
        }
        rest = after;
    }
    clean + rest
}

/// True of a number with enough digits that is no part of an id.
fn is_phone(before: &str, number: &str, behind: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if digits < PHONE_DIGITS
        || touches(before.chars().next_back())
        || touches(behind.chars().next())
    {
        return false;
    }
    let outside = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    let head = before.rsplit(outside).next().unwrap_or_default();
    let tail = behind.split(outside).next().unwrap_or_default();
    !is_uuid(&format!("{head}{number}{tail}"))
}

fn is_uuid(word: &str) -> bool {
    let hexadecimal = |c: char| c.is_ascii_hexdigit() || c == '-';
    word.chars().all(hexadecimal) && word.split('-').map(str::len).eq(UUID)
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
    fn a_phone_number_is_taken_out_however_it_is_written() {
        for (dirty, clean) in [
            ("call +60 12-345 6789 now", "call [number] now"),
            ("wa:60123456789", "wa:[number]"),
            ("{60123456789}", "{[number]}"),
            ("/+60123456789/messages", "/[number]/messages"),
            ("+60 (12) 345.6789, or 0123456", "[number], or [number]"),
            ("to\t(012) 3456789.", "to\t([number]."),
            ("60123456789", "[number]"),
        ] {
            assert_eq!(text(dirty), clean);
        }
    }

    #[test]
    fn ids_and_ordinary_words_stay() {
        for clean in [
            "conversation cv_01jd3k9zv8e5x9k2m4n6p8q0rs is closed, 24 hours",
            "0af7651916cd43dd8448eb211c80319c",
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "/01901634-d694-739b-aeaf-966126085912/",
            "01901634-8694-7390-8ea5-966126085912 of 12 + 3",
            "2026-11-22T21:45:49Z at 127.0.0.1:54321",
            "chassis::config::tests::the_settings_of_the_chassis_itself_are_documented",
            "",
            " ; ",
        ] {
            assert_eq!(text(clean), clean);
        }
    }
}
