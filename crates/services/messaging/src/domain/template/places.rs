//! Places to be filled: `{{1}}` or `{{first_name}}`.

/// The names between double braces, in order, each once.
pub(crate) fn names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for piece in pieces(text) {
        if let Piece::Place(name) = piece
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// The text with every place filled that `value` knows.
pub(crate) fn filled<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Place(name) => {
                if let Some(value) = value(name) {
                    filled.push_str(value);
                } else {
                    filled.push_str("{{");
                    filled.push_str(name);
                    filled.push_str("}}");
                }
            }
        }
    }
    filled
}

pub(super) enum Piece<'t> {
    Text(&'t str),
    /// The name without blanks around it.
    Place(&'t str),
}

/// Text and places in turn. Braces that hold nothing or are never closed are text.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut place = None;
    std::iter::from_fn(move || {
        if let Some(name) = place.take() {
            return Some(Piece::Place(name));
        }
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(open) = rest[from..].find("{{").map(|at| at + from) {
            let Some(length) = rest[open + 2..].find("}}") else {
                break;
            };
            let name = rest[open + 2..open + 2 + length].trim();
            if name.is_empty() || name.contains(['{', '}']) {
                from = open + 2;
                continue;
            }
            let before = &rest[..open];
            rest = &rest[open + 4 + length..];
            if before.is_empty() {
                return Some(Piece::Place(name));
            }
            place = Some(name);
            return Some(Piece::Text(before));
        }
        let all = rest;
        rest = "";
        Some(Piece::Text(all))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_named_once_in_their_order() {
        assert_eq!(names("Hi {{ 1 }}, {{2}} off, {{1}}!"), ["1", "2"]);
        assert_eq!(names("{{first_name}}{{code}}"), ["first_name", "code"]);
        for none in ["", "{{}}", "{{ }}", "{{1", "1}}", "{ {1} }"] {
            assert!(names(none).is_empty(), "{none}");
        }
        assert_eq!(names("{{{{1}}"), ["1"]);
    }

    #[test]
    fn what_nothing_fills_stays_as_it_is() {
        let value = |name: &str| (name == "1").then_some("{{2}}");
        assert_eq!(filled("{{1}} and {{2}}", value), "{{2}} and {{2}}");
        assert_eq!(filled("no places {{", value), "no places {{");
    }

    proptest! {
        #[test]
        fn text_without_values_comes_out_with_its_places(text in "[a-z{} 0-9é]{0,40}") {
            let out = filled(&text, |_| None);
            prop_assert_eq!(names(&out), names(&text));
        }
    }
}
