//! Names and lengths of source files.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::checkout;

/// A longer file is refused (400 is a question in review, 200 the habit). Tests don't count.
const MAX_LINES: usize = 600;

/// Names that say nothing: whatever is put there belongs to some noun.
const EMPTY_NAMES: &[&str] = &["common", "helpers", "misc", "util", "utils"];

/// Files that are too long or have a name that says nothing.
pub(crate) fn violations(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in checkout::rust_files(root, Path::new("crates"))? {
        if let Some(violation) = name_violation(&path) {
            found.push(format!("{}: {violation}", path.display()));
        }
        if is_test(&path) {
            continue;
        }
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("read {}", path.display()))?;
        let lines = lines_without_tests(&text);
        if lines > MAX_LINES {
            found.push(format!(
                "{}: {lines} lines, {MAX_LINES} is the wall: split it by noun",
                path.display()
            ));
        }
    }
    Ok(found)
}

fn name_violation(path: &Path) -> Option<&'static str> {
    if path.file_name() == Some(OsStr::new("mod.rs")) {
        return Some("write `foo.rs` beside `foo/` instead of `foo/mod.rs`");
    }
    let empty = path.iter().chain(path.file_stem()).any(|part| {
        part.to_str()
            .is_some_and(|part| EMPTY_NAMES.contains(&part))
    });
    empty.then_some("the name says nothing: use the noun it is about")
}

fn is_test(path: &Path) -> bool {
    path.iter()
        .any(|part| part == "tests" || part == "tests.rs" || part == "benches")
}

/// Lines outside `#[cfg(test)] mod … { … }` at the top level, whose end rustfmt puts into the first column.
fn lines_without_tests(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            lines.by_ref().find(|line| *line == "}");
        } else {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_inside_a_file_do_not_count() {
        let text =
            "fn a() {\n}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {\n}\n";
        assert_eq!(lines_without_tests(text), 5);
    }

    #[test]
    fn tests_in_their_own_file_leave_two_lines() {
        assert_eq!(lines_without_tests("#[cfg(test)]\nmod tests;\n"), 2);
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        assert!(name_violation(Path::new("crates/a/src/utils.rs")).is_some());
        assert!(name_violation(Path::new("crates/a/src/common/x.rs")).is_some());
        assert!(name_violation(Path::new("crates/a/src/x/mod.rs")).is_some());
        assert!(name_violation(Path::new("crates/a/src/commonality.rs")).is_none());
    }
}
