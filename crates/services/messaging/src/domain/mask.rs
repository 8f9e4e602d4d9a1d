//! Contact details as they are shown to members who may not have them: enough to tell two customers apart, too little to
//! reach one.

use pbjson_types::{Struct, Value, value::Kind};

/// In place of what is hidden.
const HIDDEN: &str = "***";
/// Fewer digits are no number that somebody could be called at.
const SHORTEST: usize = 7;
/// Of these, the last digits are shown only where enough others stay hidden.
const LAST_SHOWN_FROM: usize = 9;
const LAST: usize = 3;

/// An identity of a contact. The business-scoped user id reaches nobody outside WhatsApp and is left as it is; a kind that
/// is not known here may reach somebody.
pub(crate) fn identity(kind: &str, value: &str) -> String {
    match kind {
        "user_id" => value.to_owned(),
        "phone" => phone(value),
        _ => name(value),
    }
}

/// A number with its country code: `+49 *** 678`.
fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let code = country_code(&digits);
    format!("+{code} {HIDDEN}{}", last(&digits))
}

/// As [`phone`], where the country code is missing.
fn national(digits: &str) -> String {
    format!("{HIDDEN}{}", last(digits))
}

fn last(digits: &str) -> String {
    match digits.len().checked_sub(LAST) {
        Some(from) if digits.len() >= LAST_SHOWN_FROM => format!(" {}", &digits[from..]),
        _ => String::new(),
    }
}

/// ITU-T E.164: codes have one to three digits, and no code begins another.
fn country_code(digits: &str) -> &str {
    let two = digits.get(..2).unwrap_or_default();
    let length = match two.as_bytes() {
        [b'1' | b'7', _] => 1,
        [b'2', b'0' | b'7']
        | [b'3', b'0'..=b'4' | b'6' | b'9']
        | [b'4', b'0' | b'1' | b'3'..=b'9']
        | [b'5', b'1'..=b'8']
        | [b'6', b'0'..=b'6']
        | [b'8', b'1' | b'2' | b'4' | b'6']
        | [b'9', b'0'..=b'5' | b'8'] => 2,
        _ => 3,
    };
    digits.get(..length).unwrap_or_default()
}

/// A user name: `a***`.
fn name(value: &str) -> String {
    value.chars().take(1).chain(HIDDEN.chars()).collect()
}

/// An e-mail address: `a***@***`.
pub(crate) fn email(address: &str) -> String {
    let first: String = address
        .chars()
        .take(1)
        .filter(|first| *first != '@')
        .collect();
    format!("{first}{HIDDEN}@{HIDDEN}")
}

/// A text with every number and every e-mail address in it hidden; where it can't be told what a number is, it is hidden.
pub(crate) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = number_at(rest) {
            let number = &rest[..length];
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            let international = number.starts_with('+');
            let hide = if international { phone } else { national };
            shown.push_str(&hide(&digits));
            rest = &rest[length..];
        } else if first.is_ascii_digit() || first == '+' {
            // Not a number: the digits that belong together go on together.
            let length = 1 + rest[1..]
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len() - 1);
            shown.push_str(&rest[..length]);
            rest = &rest[length..];
        } else {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    if !shown.contains('@') {
        return shown;
    }
    let words = shown.split_inclusive(char::is_whitespace);
    words.map(without_email).collect()
}

/// The bytes of the number that the text begins with.
fn number_at(text: &str) -> Option<usize> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '(')) {
        return None;
    }
    let mut digits = 0;
    let mut end = 0;
    for (index, c) in text.char_indices() {
        if c.is_ascii_digit() {
            digits += 1;
            end = index + 1;
        } else if !(matches!(c, ' ' | '\u{a0}' | '-' | '.' | '/' | '(' | ')') || index == 0) {
            break;
        }
    }
    (digits >= SHORTEST).then_some(end)
}

fn without_email(word: &str) -> String {
    let address = word.trim_end();
    match address.split_once('@') {
        Some((before, after)) if !before.is_empty() && after.contains('.') => {
            email(address) + &word[address.len()..]
        }
        _ => word.to_owned(),
    }
}

/// A structure with [`text`] hidden in every string and every number. WhatsApp's message ids have the number inside.
pub(crate) fn structure(value: &mut Struct) {
    value.fields.values_mut().for_each(leaf);
}

fn leaf(value: &mut Value) {
    match &mut value.kind {
        Some(Kind::StringValue(string)) if string.starts_with("wamid.") => string.clear(),
        Some(Kind::StringValue(string)) => *string = text(string),
        Some(Kind::NumberValue(number)) => {
            // Somebody may keep a telephone number as a number.
            let shown = text(&number.to_string());
            if shown.contains(HIDDEN) {
                value.kind = Some(Kind::StringValue(shown));
            }
        }
        Some(Kind::StructValue(inner)) => structure(inner),
        Some(Kind::ListValue(list)) => list.values.iter_mut().for_each(leaf),
        None | Some(Kind::NullValue(_) | Kind::BoolValue(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_keeps_its_country_and_its_end() {
        assert_eq!(identity("phone", "4917012345678"), "+49 *** 678");
        assert_eq!(identity("phone", "16505551234"), "+1 *** 234");
        assert_eq!(identity("phone", "351912345678"), "+351 *** 678");
        // Too short to show anything of.
        assert_eq!(identity("phone", "4917012"), "+49 ***");
        assert_eq!(identity("phone", ""), "+ ***");
    }

    #[test]
    fn names_are_hidden_and_opaque_ids_are_not() {
        assert_eq!(identity("username", "ada.lovelace"), "a***");
        assert_eq!(identity("email", "ada@example.com"), "a***");
        assert_eq!(identity("user_id", "DE.1234567890123"), "DE.1234567890123");
        assert_eq!(email("ada@example.com"), "a***@***");
    }

    #[test]
    fn numbers_and_addresses_in_a_text_are_hidden() {
        assert_eq!(text("+49 170 123-45678"), "+49 *** 678");
        assert_eq!(text("4917012345678"), "*** 678");
        assert_eq!(text("(030) 1234 5678 or so"), "*** 678 or so");
        assert_eq!(
            text("User A changed from +16505551234 to +16505559999."),
            "User A changed from +1 *** 234 to +1 *** 999."
        );
        assert_eq!(
            text("write to ada@example.com now"),
            "write to a***@*** now"
        );
        for harmless in ["Ada", "Room 12", "@home", "3 + 4", "", "grüße 👋", "5.50 €"] {
            assert_eq!(text(harmless), harmless);
        }
    }

    #[test]
    fn a_structure_is_hidden_all_the_way_down() {
        let mut value = crate::domain::content::inbound::structure(
            r#"{"a":[{"wa_id":"16505551234","id":"wamid.HBgL","n":1.5}],"b":{"to":"+16505551234"},"c":true,
                "d":16505551234,"e":-16505551234.5}"#,
        );
        structure(&mut value);
        let shown = serde_json::to_string(&value).expect("JSON");
        assert!(shown.contains("1.5"), "{shown}");
        assert!(!shown.contains("555") && !shown.contains("HBgL"), "{shown}");
        assert!(shown.contains("*** 234"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_number_survives(digits in "[1-9][0-9]{8,14}", before in "[a-z ]{0,5}", plus in "\\+?") {
            let masked = text(&format!("{before}{plus}{digits} x"));
            prop_assert!(!masked.contains(&digits[3..]), "{}", masked);
            let identity = identity("phone", &digits);
            prop_assert!(identity.chars().filter(char::is_ascii_digit).count() <= 6);
        }

        #[test]
        fn any_text_can_be_shown(any in "\\PC{0,60}") {
            text(&any);
            identity("phone", &any);
            identity("username", &any);
        }
    }
}
