//! `docs/errors.md`: what each code means and what to do about it.

use std::fmt::{self, Write};

use errors::{Code, Kind};

const INTRODUCTION: &str = "\
<!-- Made by `make gen` from crates/contracts/errors/src/codes.rs. -->
# Errors

Every failed request is answered with a problem document (`application/problem+json`, RFC 9457). Its `code` is one of
those below: it is stable, so programs decide by it; `title` and `detail` are for people and may change.

The kind of a code says how it is answered and whether the same request may succeed later. Some codes have a more exact
HTTP status than their kind; it stands beside the code. A request with unacceptable fields is answered with 422 instead
of 400: the problem document lists them under `errors`.

| kind | HTTP | gRPC | try again |
|---|---|---|---|
";

/// The page for a catalogue.
pub(crate) fn page(codes: &[&Code]) -> Result<String, fmt::Error> {
    let mut page = INTRODUCTION.to_owned();
    for kind in Kind::ALL {
        writeln!(
            page,
            "| {kind:?} | {} | {:?} | {} |",
            kind.http().as_u16(),
            kind.grpc(),
            if kind.retryable() { "yes" } else { "no" },
        )?;
    }
    let mut area = "";
    for code in codes {
        let own_area = code.id.split('.').next().unwrap_or_default();
        if own_area != area {
            area = own_area;
            writeln!(page, "\n## {area}")?;
        }
        // The anchor that `type` of a problem document points at; a heading's own would lose the dot.
        writeln!(
            page,
            "\n<a id=\"{id}\"></a>\n### `{id}`\n\n{title} ({kind:?}, {status})\n\n{help}",
            id = code.id,
            title = code.title,
            kind = code.kind,
            status = code.http().as_u16(),
            help = code.help,
        )?;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_under_its_area_with_its_anchor_and_remedy() {
        static CLOSED: Code = Code {
            id: "messaging.window_closed",
            kind: Kind::Precondition,
            own_status: None,
            title: "Closed.",
            help: "Send a template.",
        };
        let page = page(&[&CLOSED]).expect("a page");
        assert!(page.contains("\n## messaging\n"), "{page}");
        assert!(
            page.contains("<a id=\"messaging.window_closed\"></a>"),
            "{page}"
        );
        assert!(
            page.ends_with("Closed. (Precondition, 409)\n\nSend a template.\n"),
            "{page}"
        );
    }

    #[test]
    fn a_code_with_its_own_status_is_shown_with_it() {
        let page = page(&[&errors::codes::REQUEST_TOO_LARGE]).expect("a page");
        assert!(page.contains("(Invalid, 413)"), "{page}");
    }
}
