//! Words by which customers take marketing consent back, and give it again, and what they are answered.

mod languages;

use self::languages::LANGUAGES;

/// What a customer may agree to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    Marketing,
    Utility,
}

impl Purpose {
    /// The stored word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Utility => "utility",
        }
    }

    /// What a template of this category needs consent to. Codes somebody asked for need none.
    pub(crate) fn of_category(category: &str) -> Option<Self> {
        let all = [Self::Marketing, Self::Utility];
        all.into_iter().find(|purpose| purpose.word() == category)
    }
}

/// What a customer said by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Marketing messages are wanted.
    pub(crate) granted: bool,
    /// The answer, in the language of the word.
    pub(crate) answer: &'static str,
}

/// The words of one language. A word belongs to one language only. Words that people also say about other things, such
/// as "cancel" of an order, are left out: an agent can record those.
struct Language {
    stop: &'static [&'static str],
    start: &'static [&'static str],
    stopped: &'static str,
    started: &'static str,
}

/// What a message says about marketing consent, if it says that and nothing else.
pub(crate) fn choice(text: &str) -> Option<Choice> {
    // Longer than any of the words: no need to fold a whole letter.
    if text.len() > 256 {
        return None;
    }
    let said = fold(text);
    LANGUAGES.iter().find_map(|language| {
        let (granted, answer) = if language.stop.contains(&said.as_str()) {
            (false, language.stopped)
        } else if language.start.contains(&said.as_str()) {
            (true, language.started)
        } else {
            return None;
        };
        Some(Choice { granted, answer })
    })
}

/// In lower case, without what surrounds the words, and with single spaces.
fn fold(text: &str) -> String {
    // The Turkish capital I has no dot and the small one may have none: they are all one letter here, and the dot that
    // stays of the dotted capital goes.
    let lower = text.to_lowercase().replace('\u{307}', "").replace('ı', "i");
    let around = |c: char| {
        c.is_whitespace()
            || ".!?,;:'\"“”„«»()。！、।*_~\u{200b}\u{200e}\u{200f}\u{feff}".contains(c)
    };
    let words: Vec<&str> = lower.trim_matches(around).split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_word_is_of_one_language_and_is_found_in_capitals() {
        assert!(LANGUAGES.len() >= 10);
        let mut seen = HashSet::new();
        for language in LANGUAGES {
            let stop = language
                .stop
                .iter()
                .map(|word| (word, false, language.stopped));
            let start = language
                .start
                .iter()
                .map(|word| (word, true, language.started));
            for (word, granted, answer) in stop.chain(start) {
                assert!(seen.insert(word), "{word} twice");
                assert_eq!(fold(word), *word, "{word} is not folded");
                let expected = Some(Choice { granted, answer });
                assert_eq!(
                    choice(&format!(" {}! ", word.to_uppercase())),
                    expected,
                    "{word}"
                );
            }
        }
    }

    #[test]
    fn every_answer_names_the_word_that_takes_it_back() {
        for language in LANGUAGES {
            let names = |answer: &str, words: &[&str]| {
                let answer = fold(answer);
                words.iter().any(|word| answer.contains(word))
            };
            assert!(
                names(language.stopped, language.start),
                "{}",
                language.stopped
            );
            assert!(
                names(language.started, language.stop),
                "{}",
                language.started
            );
        }
    }

    #[test]
    fn only_a_whole_message_counts() {
        for said in [
            "STOP",
            "stop.",
            "«Stop»",
            "İPTAL ET",
            "Opt   out",
            "СТОП",
            "退订。",
        ] {
            assert_eq!(
                choice(said).map(|choice| choice.granted),
                Some(false),
                "{said}"
            );
        }
        for other in [
            "",
            "don't stop",
            "stop it please",
            "bus stop",
            "cancel",
            "non-stop",
            "start the order",
            "stopstart",
        ] {
            assert_eq!(choice(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_heard(text in "\\PC{0,300}") {
            choice(&text);
        }
    }
}
