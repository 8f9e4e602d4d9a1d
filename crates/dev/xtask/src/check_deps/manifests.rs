//! Every package inherits the lints and all versions from the workspace.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::workspace::Package;

const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What is written into a manifest that belongs into the workspace's.
pub(crate) fn violations(root: &Path, packages: &[Package]) -> Result<Vec<String>> {
    let mut found = in_workspace(&read(root, Path::new("Cargo.toml"))?);
    for package in packages {
        let manifest = read(root, &package.manifest)?;
        let of_package = in_package(&manifest)
            .into_iter()
            .map(|violation| format!("{}: {violation}", package.manifest.display()));
        found.extend(of_package);
    }
    Ok(found)
}

fn read(root: &Path, manifest: &Path) -> Result<Table> {
    let text = fs::read_to_string(root.join(manifest))
        .with_context(|| format!("read {}", manifest.display()))?;
    text.parse()
        .with_context(|| format!("parse {}", manifest.display()))
}

fn in_workspace(manifest: &Table) -> Vec<String> {
    let dependencies = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table);
    dependencies
        .into_iter()
        .flatten()
        .filter(|(_, dependency)| dependency.get("git").is_some())
        .map(|(name, _)| format!("Cargo.toml: {name} comes from git: use a registry's version"))
        .collect()
}

fn in_package(manifest: &Table) -> Vec<String> {
    let mut found = Vec::new();
    if !inherits(manifest.get("lints")) {
        found.push("`[lints] workspace = true` is missing".to_owned());
    }
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    for table in std::iter::once(manifest).chain(targets) {
        for kind in DEPENDENCY_TABLES {
            let dependencies = table.get(kind).and_then(Value::as_table);
            for (name, dependency) in dependencies.into_iter().flatten() {
                if !inherits(Some(dependency)) {
                    found.push(format!(
                        "{kind}: {name} must be `{name}.workspace = true`, its version belongs into the workspace"
                    ));
                }
            }
        }
    }
    found
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")) == Some(&Value::Boolean(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inherited_versions_and_lints_pass_also_with_extra_features() {
        let manifest = r#"
            [lints]
            workspace = true
            [dependencies]
            serde.workspace = true
            tokio = { workspace = true, features = ["fs"] }
        "#;
        assert_eq!(
            in_package(&manifest.parse().expect("a manifest")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_version_of_its_own_is_refused_in_every_table() {
        let manifest = r#"
            [lints]
            workspace = true
            [dev-dependencies]
            serde = "1"
            [target.'cfg(unix)'.dependencies]
            libc = { version = "0.2" }
        "#;
        let found = in_package(&manifest.parse().expect("a manifest"));
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn missing_lints_are_refused() {
        let found = in_package(&"[package]\nname = \"x\"".parse().expect("a manifest"));
        assert_eq!(found, ["`[lints] workspace = true` is missing"]);
    }

    #[test]
    fn a_git_source_is_refused() {
        let manifest = "[workspace.dependencies]\nx = { git = \"https://example.org/x\" }";
        assert_eq!(
            in_workspace(&manifest.parse().expect("a manifest")).len(),
            1
        );
    }
}
