//! Phone numbers that WhatsApp writes in two ways.
//!
//! The number dialled and the id WhatsApp gives back can differ: Brazilian accounts older than the
//! ninth digit lack it, Mexican ones keep a 1 and Argentinian ones a 9 that national plans have
//! dropped or moved. Look contacts up by all candidates; send to the id WhatsApp returned, or to the
//! number as it was typed; never rewrite a number that was received.

/// The digits of a number: the same number comes with and without decoration.
pub fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// All ways WhatsApp may write this number, in digits; the given one first. Empty if it has no
/// digits.
pub fn match_candidates(number: &str) -> Vec<String> {
    let digits = digits(number);
    if digits.is_empty() {
        return Vec::new();
    }
    let other = brazil(&digits)
        .or_else(|| mexico(&digits))
        .or_else(|| argentina(&digits));
    std::iter::once(digits).chain(other).collect()
}

/// 55, two digits of area, then 9 and eight digits (mobile) or the eight alone. Eight digits that
/// do not begin with 6 to 9 are a landline, which has no other spelling.
fn brazil(digits: &str) -> Option<String> {
    let national = digits.strip_prefix("55")?;
    let (area, subscriber) = national.split_at_checked(2)?;
    if !area.bytes().all(|digit| digit != b'0') {
        return None;
    }
    let old = match subscriber.len() {
        8 => subscriber,
        9 => subscriber.strip_prefix('9')?,
        _ => return None,
    };
    if !old.starts_with(['6', '7', '8', '9']) {
        return None;
    }
    let extra = if subscriber.len() == 8 { "9" } else { "" };
    Some(format!("55{area}{extra}{old}"))
}

/// 52 and ten digits, or 521 and the same ten.
fn mexico(digits: &str) -> Option<String> {
    extra_digit(digits, "52", "1")
}

/// 54 and ten digits, or 549 and the same ten.
fn argentina(digits: &str) -> Option<String> {
    extra_digit(digits, "54", "9")
}

fn extra_digit(digits: &str, country: &str, extra: &str) -> Option<String> {
    let national = digits.strip_prefix(country)?;
    match national.len() {
        10 => Some(format!("{country}{extra}{national}")),
        11 => Some(format!("{country}{}", national.strip_prefix(extra)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brazilian_mobiles_match_with_and_without_the_ninth_digit() {
        assert_eq!(
            match_candidates("+55 11 98765-4321"),
            ["5511987654321", "551187654321"]
        );
        assert_eq!(
            match_candidates("551187654321"),
            ["551187654321", "5511987654321"]
        );
    }

    #[test]
    fn brazilian_landlines_have_one_spelling() {
        assert_eq!(match_candidates("551133334444"), ["551133334444"]);
        assert_eq!(match_candidates("5511933334444"), ["5511933334444"]);
        assert_eq!(match_candidates("551187654"), ["551187654"]);
    }

    #[test]
    fn mexican_and_argentinian_numbers_match_with_and_without_the_extra_digit() {
        assert_eq!(
            match_candidates("+5215512345678"),
            ["5215512345678", "525512345678"]
        );
        assert_eq!(
            match_candidates("525512345678"),
            ["525512345678", "5215512345678"]
        );
        assert_eq!(
            match_candidates("5491123456789"),
            ["5491123456789", "541123456789"]
        );
        assert_eq!(
            match_candidates("541123456789"),
            ["541123456789", "5491123456789"]
        );
        assert_eq!(match_candidates("5255123456789"), ["5255123456789"]);
    }

    #[test]
    fn other_numbers_stand_for_themselves() {
        assert_eq!(match_candidates("+1 (650) 555-1234"), ["16505551234"]);
        assert_eq!(match_candidates("4915112345678"), ["4915112345678"]);
        assert_eq!(match_candidates(""), Vec::<String>::new());
        assert_eq!(match_candidates("٤٩"), Vec::<String>::new());
    }

    #[test]
    fn each_candidate_leads_back_to_the_same_set() {
        for number in [
            "5511987654321",
            "5215512345678",
            "541123456789",
            "16505551234",
        ] {
            let mut first = match_candidates(number);
            first.sort();
            for candidate in &first {
                let mut again = match_candidates(candidate);
                again.sort();
                assert_eq!(again, first);
            }
        }
    }
}
