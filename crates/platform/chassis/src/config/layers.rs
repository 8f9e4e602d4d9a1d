//! Reads the layers into one tree: file, then aliases, then the service's own variables.

use std::path::Path;

use super::{
    Alias, EnvSource, Problems,
    node::{Layer, Node, Origin, Scalar},
    unreadable,
};

/// The variable prefix of a service: `crm-sync` has `CRM_SYNC__`.
pub(super) fn env_prefix(service: &str) -> String {
    format!("{}__", service.to_uppercase().replace('-', "_"))
}

/// The part of a variable name that stands for a dotted key: `db.url` is `DB__URL`.
pub(super) fn env_suffix(key: &str) -> String {
    key.to_uppercase().replace('.', "__")
}

/// Adds the TOML file at `path` to `tree`.
pub(super) fn read_file(tree: &mut Node, path: &Path, problems: &mut Problems) {
    let place = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return problems.at(
                place,
                format!("file cannot be read: {}", unreadable(&error)),
            );
        }
    };
    match toml::from_str::<toml::Table>(&text) {
        Ok(table) => {
            for (key, value) in table {
                tree.put(&key, from_toml(value, &place, &key));
            }
        }
        Err(error) => {
            // The library's own text quotes the line, which may hold a secret.
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            problems.at(place, format!("not valid TOML at line {line}"));
        }
    }
}

fn from_toml(value: toml::Value, file: &str, key: &str) -> Node {
    let origin = Origin {
        layer: Layer::File,
        place: format!("{file}: {key}"),
    };
    match value {
        toml::Value::Table(table) => Node::Table(
            table
                .into_iter()
                .map(|(name, value)| {
                    let node = from_toml(value, file, &format!("{key}.{name}"));
                    (name, node)
                })
                .collect(),
        ),
        toml::Value::Array(items) => {
            let items = items
                .into_iter()
                .enumerate()
                .map(|(index, item)| from_toml(item, file, &format!("{key}[{index}]")))
                .collect();
            Node::List(items, origin)
        }
        toml::Value::String(text) => Node::Leaf(Scalar::Quoted(text), origin),
        toml::Value::Boolean(value) => Node::Leaf(Scalar::Bool(value), origin),
        toml::Value::Integer(value) => Node::Leaf(Scalar::Integer(value), origin),
        toml::Value::Float(value) => Node::Leaf(Scalar::Float(value), origin),
        toml::Value::Datetime(value) => Node::Leaf(Scalar::Quoted(value.to_string()), origin),
    }
}

/// Adds the variables of the older product that the service still understands. Two aliases of one
/// key may both be set if they say the same.
pub(super) fn read_aliases(
    tree: &mut Node,
    env: &EnvSource,
    aliases: &[Alias],
    problems: &mut Problems,
) {
    for alias in aliases {
        for (suffix, key_suffix) in [("", ""), ("_FILE", "_file")] {
            let name = format!("{}{suffix}", alias.env);
            let key = format!("{}{key_suffix}", alias.key);
            let Some(value) = env.get(&name) else {
                continue;
            };
            if let Some(Node::Leaf(Scalar::Text(earlier), origin)) = tree.find(&key)
                && earlier != value
            {
                let place = format!("{}, {name}", origin.place);
                problems.key_at(&key, place, "both are set, and they differ");
                continue;
            }
            tree.put(&key, text(value, name, Layer::Alias));
        }
    }
}

/// Adds the service's own variables.
pub(super) fn read_env(tree: &mut Node, env: &EnvSource, service: &str, problems: &mut Problems) {
    let prefix = env_prefix(service);
    let mut earlier: Vec<(String, &str)> = Vec::new();
    for (name, value) in env.with_prefix(&prefix) {
        let key = name[prefix.len()..].to_lowercase().replace("__", ".");
        if key == "config" {
            continue;
        }
        if key.split('.').any(str::is_empty) {
            problems.at(name, "unknown key");
            continue;
        }
        let clash = earlier
            .iter()
            .find(|(other, _)| super::problems::is_within(&key, other));
        if let Some((_, other)) = clash {
            problems.at(
                format!("{other}, {name}"),
                "one is a value, the other a key inside it",
            );
            continue;
        }
        tree.put(&key, text(value, name.to_owned(), Layer::Env));
        earlier.push((key, name));
    }
}

fn text(value: &str, place: String, layer: Layer) -> Node {
    Node::Leaf(Scalar::Text(value.to_owned()), Origin { layer, place })
}
