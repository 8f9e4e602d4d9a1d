use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::{
    EnvSource, Problems, Settings, Validate,
    fill::{Filled, fill},
    layers,
    node::Node,
};

/// Where the configuration of one service comes from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The service's name, which gives the variable prefix: `crm-sync` reads `CRM_SYNC__…`.
    pub service: &'a str,
    /// The environment.
    pub env: &'a EnvSource,
    /// The TOML file; if `None`, the one that `<SERVICE>__CONFIG` names, if any.
    pub file: Option<PathBuf>,
}

/// Loads the configuration of a service whose keys are all its own.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load<C: Settings>(source: &Source<'_>) -> Result<C, Problems> {
    let mut problems = Problems::of_service(source.service);
    let tree = read::<C>(source, &mut problems);
    let value = finish(fill::<C>(&tree), &tree, &mut problems);
    keep(value, problems)
}

/// Loads two structs that share one key space: the top-level keys `first_keys` belong to `A`, all
/// others to `B`.
pub(crate) fn load_pair<A, B>(source: &Source<'_>, first_keys: &[&str]) -> Result<(A, B), Problems>
where
    A: DeserializeOwned + Validate,
    B: Settings,
{
    let mut problems = Problems::of_service(source.service);
    let (first, second) = split(read::<B>(source, &mut problems), first_keys);
    let a = finish(fill::<A>(&first), &first, &mut problems);
    let b = finish(fill::<B>(&second), &second, &mut problems);
    keep(a.zip(b), problems)
}

fn read<C: Settings>(source: &Source<'_>, problems: &mut Problems) -> Node {
    let mut tree = Node::table();
    let named = format!("{}CONFIG", layers::env_prefix(source.service));
    let file = source
        .file
        .clone()
        .or_else(|| source.env.get(&named).map(PathBuf::from));
    if let Some(file) = file {
        layers::read_file(&mut tree, &file, problems);
    }
    layers::read_aliases(&mut tree, source.env, C::aliases(), problems);
    layers::read_env(&mut tree, source.env, source.service, problems);
    tree
}

fn split(tree: Node, first_keys: &[&str]) -> (Node, Node) {
    let Node::Table(entries) = tree else {
        return (Node::table(), tree);
    };
    let (first, second) = entries
        .into_iter()
        .partition(|(key, _)| first_keys.contains(&key.as_str()));
    (Node::Table(first), Node::Table(second))
}

/// Reports what reading found, then lets the value look at itself.
fn finish<T: Validate>(filled: Filled<T>, tree: &Node, problems: &mut Problems) -> Option<T> {
    let notes = filled.notes;
    for (key, place, message) in &notes.wrong {
        let place = if place == key {
            problems.env_name(key)
        } else {
            place.clone()
        };
        problems.key_at(key, place, message.as_str());
        problems.stand_in(key);
    }
    for key in &notes.missing {
        problems.stand_in(key);
        if !notes.wrong.iter().any(|(wrong, ..)| wrong == key) {
            let name = problems.env_name(key);
            let message = match tree.find(key) {
                Some(_) => "required, and not usable".to_owned(),
                None => format!("required (or {name}_FILE, or {key} in the file)"),
            };
            problems.key_at(key, name, message);
        }
    }
    if let Some(value) = &filled.value {
        value.validate(problems);
    }
    filled.value
}

fn keep<T>(value: Option<T>, mut problems: Problems) -> Result<T, Problems> {
    if let Some(value) = value {
        return problems.into_result(value);
    }
    if problems.is_empty() {
        problems.at("configuration", "cannot be read");
    }
    Err(problems)
}
