//! Where the browser goes after the login.

/// The longest path that is kept, in bytes.
const MAX_LENGTH: usize = 1_000;

/// A path of our own application. Nothing that a browser could take for an address of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnPath(String);

impl Default for ReturnPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl ReturnPath {
    /// The path in the text; what is none becomes the start page.
    pub(crate) fn of(text: &str) -> Self {
        // Browsers read `\` as `/` and drop tabs and line breaks, so `/\`, `/<tab>/` and `//` all begin a host.
        let is_path = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= MAX_LENGTH
            && !text.contains('\\')
            && !text
                .chars()
                .any(|letter| letter.is_control() || letter.is_whitespace());
        if is_path {
            Self(text.to_owned())
        } else {
            Self::default()
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn a_path_is_kept() {
        for text in ["/", "/inbox", "/inbox?view=mine&x=//y#z", "/a/b//c"] {
            assert_eq!(ReturnPath::of(text).as_str(), text);
        }
    }

    #[test]
    fn whatever_leads_elsewhere_becomes_the_start_page() {
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        for text in [
            "",
            "inbox",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            " /inbox",
            &long,
        ] {
            assert_eq!(ReturnPath::of(text), ReturnPath::default(), "{text:?}");
        }
    }

    proptest! {
        /// As a browser resolves it.
        #[test]
        fn no_text_leads_to_another_host(text in "[/\\\\\t\n\r@:?#.a-z]{0,12}|\\PC{0,20}") {
            let base = Url::parse("https://app.example/sso/callback").expect("a URL");
            let path = ReturnPath::of(&text);
            let target = base.join(path.as_str()).expect("a path");
            prop_assert_eq!(target.origin(), base.origin());
        }
    }
}
