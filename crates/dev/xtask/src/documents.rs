//! Documents made from code. They are committed, so that they can be read and reviewed, and `--check` keeps them true.

mod errors_page;
mod events_page;
mod openapi;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

/// Writes every document, or with `check` compares and fails on a difference.
pub(crate) fn run(root: &Path, check: bool) -> Result<ExitCode> {
    let documents = [
        ("docs/errors.md", errors_page::page(errors::codes::ALL)?),
        ("docs/EVENTS.md", events_page::page(proto::events::all())?),
        ("docs/openapi.json", openapi::document(proto::OPENAPI)?),
    ];
    let mut stale = 0;
    for (name, text) in &documents {
        let path = root.join(name);
        if committed(&path)?.as_deref() == Some(text) {
            continue;
        }
        stale += 1;
        if check {
            eprintln!("{name} is not what the code says");
        } else {
            write(&path, text)?;
            println!("{name} written");
        }
    }
    if check && stale > 0 {
        eprintln!("run `make gen` and commit the result");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn committed(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}
