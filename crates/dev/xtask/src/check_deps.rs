//! The rules of the tree that the compiler does not know.

mod files;
mod import_table;
mod manifests;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

/// Prints every violation; fails if there is one.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let packages = workspace::packages(root)?;
    let mut violations = import_table::violations(&packages);
    violations.extend(manifests::violations(root, &packages)?);
    violations.extend(files::violations(root)?);

    for violation in &violations {
        eprintln!("{violation}");
    }
    if violations.is_empty() {
        println!("{} packages keep the rules", packages.len());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{} violations", violations.len());
    Ok(ExitCode::FAILURE)
}
