//! What a browser brings in a query or a form.

use url::form_urlencoded;

/// Fields of a query or a form; of several with one name, none: a provider sends each once.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn of(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> String {
        let mut values = self.0.iter().filter(|(field, _)| field == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => value.clone(),
            _ => String::new(),
        }
    }

    /// A value that is of no use when it is cut: one that is longer is none.
    pub(super) fn get_whole(&self, name: &str, longest: usize) -> String {
        let value = self.get(name);
        if value.chars().count() > longest {
            return String::new();
        }
        value
    }

    /// The beginning of a sentence.
    pub(super) fn get_cut(&self, name: &str, longest: usize) -> String {
        self.get(name).chars().take(longest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_comes_twice_is_none() {
        let fields = Fields::of(b"state=a&code=1&code=2&x=%2F+b");
        assert_eq!(fields.get("state"), "a");
        assert_eq!(fields.get("code"), "");
        assert_eq!(fields.get("x"), "/ b");
        assert_eq!(fields.get("missing"), "");
    }

    #[test]
    fn limits_are_counted_in_characters() {
        let fields = Fields::of("x=ab%C3%A9".as_bytes());
        assert_eq!(fields.get_whole("x", 3), "ab\u{e9}");
        assert_eq!(fields.get_whole("x", 2), "");
        assert_eq!(fields.get_cut("x", 3), "ab\u{e9}");
        assert_eq!(fields.get_cut("x", 2), "ab");
    }
}
