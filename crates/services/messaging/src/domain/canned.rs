//! Saved replies: text with variables in double braces, `{{contact.name}}`. A bar gives what to write where the value is
//! empty: `{{contact.first_name|there}}`.

use std::ops::Range;

/// What a variable can name.
pub(crate) const VARIABLES: [&str; 3] = ["contact.name", "contact.first_name", "contact.phone"];

/// What the variables of a conversation's contact are.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) name: String,
    pub(crate) phone: String,
}

impl Values {
    fn get(&self, variable: &str) -> Option<&str> {
        match variable {
            "contact.name" => Some(&self.name),
            "contact.first_name" => Some(self.name.split_whitespace().next().unwrap_or_default()),
            "contact.phone" => Some(&self.phone),
            _ => None,
        }
    }
}

struct Variable<'a> {
    /// With its braces.
    place: Range<usize>,
    name: &'a str,
    fallback: &'a str,
}

/// The variables of a text. Braces that are not closed are text.
fn variables(body: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + body.get(from..)?.find("{{")?;
        let length = body[start + 2..].find("}}")?;
        let end = start + 2 + length + 2;
        from = end;
        let inner = &body[start + 2..end - 2];
        let (name, fallback) = inner.split_once('|').unwrap_or((inner, ""));
        Some(Variable {
            place: start..end,
            name: name.trim(),
            fallback: fallback.trim(),
        })
    })
}

/// The first variable of the text that names nothing known.
pub(crate) fn unknown_variable(body: &str) -> Option<&str> {
    variables(body)
        .map(|variable| variable.name)
        .find(|name| !VARIABLES.contains(name))
}

/// The text with its variables filled in. What a customer is called is text here, never a variable.
pub(crate) fn fill(body: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(body.len());
    let mut written = 0;
    for variable in variables(body) {
        filled.push_str(&body[written..variable.place.start]);
        let value = values.get(variable.name).unwrap_or_default();
        filled.push_str(if value.is_empty() {
            variable.fallback
        } else {
            value
        });
        written = variable.place.end;
    }
    filled.push_str(&body[written..]);
    filled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ada() -> Values {
        Values {
            name: "Ada Lovelace".to_owned(),
            phone: "+44 1".to_owned(),
        }
    }

    #[test]
    fn variables_are_filled_from_the_contact() {
        let body = "Hi {{contact.first_name}} ({{ contact.name }}, {{contact.phone}})!";
        assert_eq!(fill(body, &ada()), "Hi Ada (Ada Lovelace, +44 1)!");
        assert_eq!(fill("Hi {{contact.first_name|there}}", &ada()), "Hi Ada");
    }

    #[test]
    fn an_empty_value_gives_way_to_the_words_after_the_bar() {
        let nobody = Values::default();
        assert_eq!(
            fill("Hi {{contact.first_name|there}}!", &nobody),
            "Hi there!"
        );
        assert_eq!(fill("Hi {{contact.name}}!", &nobody), "Hi !");
    }

    #[test]
    fn a_name_that_looks_like_a_variable_stays_a_name() {
        let sly = Values {
            name: "{{contact.phone}}".to_owned(),
            ..ada()
        };
        assert_eq!(fill("{{contact.name}}", &sly), "{{contact.phone}}");
    }

    #[test]
    fn unknown_variables_are_found_and_loose_braces_are_text() {
        assert_eq!(
            unknown_variable("a {{contact.name}} {{agent.iq}}"),
            Some("agent.iq")
        );
        assert_eq!(unknown_variable("{{}}"), Some(""));
        assert_eq!(unknown_variable("a {{ b } c"), None);
        assert_eq!(fill("a {{ b } c", &ada()), "a {{ b } c");
    }

    proptest! {
        #[test]
        fn any_text_can_be_filled(body in "(\\{\\{|\\}\\}|\\||é|contact.name| ){0,12}") {
            unknown_variable(&body);
            fill(&body, &ada());
        }

        #[test]
        fn text_without_variables_is_left_as_it_is(body in "[^{]{0,40}") {
            prop_assert_eq!(fill(&body, &ada()), body);
        }
    }
}
