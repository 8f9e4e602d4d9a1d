//! The packages of the workspace and what they depend on, from `cargo metadata`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The folder a package lives in, which states what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Pure data.
    Contracts,
    /// Technical capabilities that know nothing of the product.
    Platform,
    /// One leaf for each third party.
    Providers,
    /// Deployables.
    Services,
    /// Tools and test support.
    Dev,
    /// Scenarios across services.
    EndToEnd,
}

/// A package of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) group: Group,
    /// Relative to the workspace.
    pub(crate) manifest: PathBuf,
    /// Only packages of the workspace.
    pub(crate) uses: Vec<Use>,
}

/// One line of a package's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) package: String,
    /// `dev-dependencies`: tests and benches only.
    pub(crate) in_tests: bool,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<MetadataDependency>,
}

#[derive(Deserialize)]
struct MetadataDependency {
    name: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

/// Every member of the workspace.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    metadata
        .packages
        .into_iter()
        .map(|package| member(root, package))
        .collect()
}

fn member(root: &Path, package: MetadataPackage) -> Result<Package> {
    let manifest = package
        .manifest_path
        .strip_prefix(root)
        .with_context(|| format!("{} is outside the workspace", package.name))?
        .to_owned();
    let uses = package
        .dependencies
        .into_iter()
        .filter(|dependency| dependency.path.is_some())
        .map(|dependency| Use {
            package: dependency.name,
            in_tests: dependency.kind.as_deref() == Some("dev"),
        })
        .collect();
    Ok(Package {
        group: group(&manifest)?,
        name: package.name,
        manifest,
        uses,
    })
}

fn group(manifest: &Path) -> Result<Group> {
    let mut folders = manifest
        .iter()
        .map(|part| part.to_str().unwrap_or_default());
    Ok(match (folders.next(), folders.next()) {
        (Some("crates"), Some("contracts")) => Group::Contracts,
        (Some("crates"), Some("platform")) => Group::Platform,
        (Some("crates"), Some("providers")) => Group::Providers,
        (Some("crates"), Some("services")) => Group::Services,
        (Some("crates"), Some("dev")) => Group::Dev,
        (Some("tests"), _) => Group::EndToEnd,
        _ => bail!("{}: no group of the tree", manifest.display()),
    })
}
