//! The module tree that mirrors the proto packages.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use prost_reflect::DescriptorPool;

#[derive(Default)]
struct Node {
    children: BTreeMap<String, Node>,
    package: Option<String>,
}

/// Rust source: nested `pub mod`s that include what was generated for each package, plus what
/// `extra` adds to it.
pub(crate) fn tree(pool: &DescriptorPool, out: &Path, extra: impl Fn(&str) -> String) -> String {
    let mut root = Node::default();
    for file in pool
        .files()
        .filter(|file| is_generated(file.package_name()))
    {
        let mut node = &mut root;
        for part in file.package_name().split('.') {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.package = Some(file.package_name().to_owned());
    }
    let mut source = String::new();
    write_node(&mut source, &root, out, &extra);
    source
}

/// Ours, and the REST annotations that our options refer to.
fn is_generated(package: &str) -> bool {
    package == "google.api" || package.starts_with("switchboard")
}

fn write_node(source: &mut String, node: &Node, out: &Path, extra: &impl Fn(&str) -> String) {
    for (name, child) in &node.children {
        let _infallible = writeln!(
            source,
            "/// Generated from the package of this name.\npub mod {name} {{"
        );
        if let Some(package) = &child.package {
            for suffix in ["rs", "serde.rs", "rest.rs"] {
                let file = format!("{package}.{suffix}");
                if out.join(&file).exists() {
                    let _infallible =
                        writeln!(source, "include!(concat!(env!(\"OUT_DIR\"), \"/{file}\"));");
                }
            }
            source.push_str(&extra(package));
        }
        write_node(source, child, out, extra);
        source.push_str("}\n");
    }
}
