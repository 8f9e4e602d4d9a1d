//! Where the workspace is, and its source files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The workspace's folder. cargo is asked when the program runs: a path from its build may be another checkout's, if the
/// two share a target folder.
pub(crate) fn root() -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["locate-project", "--workspace", "--message-format=plain"])
        .output()
        .context("run cargo locate-project")?;
    ensure!(
        output.status.success(),
        "cargo locate-project: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let manifest = String::from_utf8(output.stdout).context("read the workspace's path")?;
    let root = Path::new(manifest.trim_end())
        .parent()
        .context("find the workspace's folder")?;
    Ok(root.to_owned())
}

/// Every `.rs` file below `folder`, sorted, relative to `root`.
pub(crate) fn rust_files(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("list {}", folder.display()))?;
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root).unwrap_or(&path).to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
