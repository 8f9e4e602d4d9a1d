//! Passwords that somebody would guess: those that others use, patterns, and what is known of the person. Judged by
//! zxcvbn, whose lists come with it.

use zxcvbn::{Score, feedback::Suggestion, zxcvbn};

/// Safe against whoever has stolen the hashes and pays for some guessing: 10^8 guesses at least.
const ENOUGH: Score = Score::Three;
/// Every password here may contain it.
const PRODUCT: &str = "switchboard";
const UNRELATED: &str = "Use a few words that do not belong together.";
const PERSONAL: &str =
    "Little is left of it without your name, your address and your organization.";

/// What is wrong with a password that would be guessed, as advice to its person.
///
/// What is known of the person is worth nothing: the password must be good enough without it, too.
pub(super) fn judge(password: &str, context: &[String]) -> Result<(), String> {
    let words = words(context);
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let estimate = zxcvbn(password, &known);
    if estimate.score() < ENOUGH {
        let advice = estimate.feedback().and_then(|feedback| {
            let warning = feedback.warning().map(|warning| warning.to_string());
            warning.or_else(|| feedback.suggestions().first().map(Suggestion::to_string))
        });
        return Err(advice.unwrap_or_else(|| UNRELATED.to_owned()));
    }
    let lower = password.to_lowercase();
    let rest = words
        .iter()
        .fold(lower.clone(), |rest, word| rest.replace(word, ""));
    if rest != lower && zxcvbn(&rest, &[]).score() < ENOUGH {
        return Err(PERSONAL.to_owned());
    }
    Ok(())
}

/// Whatever is known of the person, whole and in words, in lower case and the longest first.
fn words(context: &[String]) -> Vec<String> {
    let parts = context.iter().flat_map(|text| {
        let parts = text.split(|letter: char| !letter.is_alphanumeric());
        std::iter::once(text.as_str()).chain(parts)
    });
    let mut words: Vec<String> = parts
        .chain([PRODUCT])
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .collect();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Vec<String> {
        [
            "ada.lovelace@kedai-kopi.example",
            "Ada Lovelace",
            "Kedai Kopi Nusantara",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// P-02.
    #[test]
    fn what_others_use_and_patterns_are_guessable() {
        for password in [
            "passwordpassword",
            "qwertyuiopasdfgh",
            "111111111111111",
            "123456789012345",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "Password12345678",
            "iloveyouiloveyou",
        ] {
            assert!(judge(password, &[]).is_err(), "{password}");
        }
    }

    #[test]
    fn what_is_known_of_the_person_does_not_count() {
        for password in [
            "ada.lovelace@kedai-kopi.example",
            "AdaLovelace2026",
            "Kedai Kopi Kedai Kopi",
            "lovelacelovelace",
            "KedaiKopiNusantara",
            "switchboardswitchboard",
        ] {
            assert!(judge(password, &context()).is_err(), "{password}");
        }
        assert!(judge("KedaiKopiNusantara", &[]).is_ok());
    }

    #[test]
    fn words_that_do_not_belong_together_are_good_in_any_script() {
        for password in [
            "velvet ada otter drives eleven",
            "a demo password nobody else uses",
            "velvet-otter-drives-eleven",
            "9vX2!mQ7#rT4zW8",
            "kucing oren makan rambutan",
            "лошадь пьёт апельсиновый сок",
            "e\u{301}\0🦀 pagi buta di pasar",
        ] {
            assert_eq!(judge(password, &context()), Ok(()), "{password}");
        }
    }

    #[test]
    fn advice_does_not_repeat_the_password() {
        let advice = judge("lovelacelovelace", &context()).unwrap_err();
        assert!(!advice.to_lowercase().contains("lovelace"), "{advice}");
        assert!(advice.ends_with('.'), "{advice}");
    }
}
