//! The links of an e-mail, which is what tests and demos want of it.

/// The web addresses in these texts, in their order, each once.
pub(in crate::resend) fn links<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        for (start, _) in text.match_indices("http") {
            let rest = &text[start..];
            if !rest.starts_with("http://") && !rest.starts_with("https://") {
                continue;
            }
            let ends =
                |c: char| c.is_whitespace() || c.is_control() || "\"'<>()[]{}|\\^`".contains(c);
            let link = rest.split(ends).next().unwrap_or(rest);
            // A full stop after an address is the sentence's.
            let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?']);
            let link = link.replace("&amp;", "&");
            if !found.contains(&link) {
                found.push(link);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_text_and_html() {
        let text = "Go to https://app.example/r?a=1&b=2. Or http://x.example/ (https://y.example).";
        let html = "<a href=\"https://app.example/r?a=1&amp;b=2\">https</a><img src='https://z.example/i.png'>";
        assert_eq!(
            links([text, html]),
            [
                "https://app.example/r?a=1&b=2",
                "http://x.example/",
                "https://y.example",
                "https://z.example/i.png",
            ]
        );
    }
}
