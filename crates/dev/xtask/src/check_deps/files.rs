//! Names and lengths of source files.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::checkout;

/// A longer file is refused, tests included. A file over 400 lines is a question in review; the habit is 200.
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
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("read {}", path.display()))?;
        let lines = text.lines().count();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_refused() {
        assert!(name_violation(Path::new("crates/a/src/utils.rs")).is_some());
        assert!(name_violation(Path::new("crates/a/src/common/x.rs")).is_some());
        assert!(name_violation(Path::new("crates/a/src/x/mod.rs")).is_some());
        assert!(name_violation(Path::new("crates/a/src/commonality.rs")).is_none());
    }
}
