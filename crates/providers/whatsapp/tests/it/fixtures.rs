//! Meta's samples.

use std::{fs, path::PathBuf};

use serde_json::Value;
use whatsapp::webhook::{Content, Item, Message, Parsed, Payload, Status, parse};

fn folder() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "..",
        "..",
        "tests",
        "fixtures",
        "whatsapp",
    ]
    .iter()
    .collect()
}

/// Names of the samples that begin with one of these.
pub(crate) fn names(prefixes: &[&str]) -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder of samples");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    names.sort();
    names
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn parsed(name: &str) -> Parsed {
    parse(&bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn only_item(name: &str) -> Item {
    let mut items = parsed(name).items;
    assert_eq!(items.len(), 1, "{name}");
    items.remove(0)
}

pub(crate) fn message(name: &str) -> Message {
    match only_item(name).payload {
        Payload::Message(message) => *message,
        other => panic!("{name}: {other:?}"),
    }
}

pub(crate) fn content(name: &str) -> Content {
    message(name).content
}

pub(crate) fn status(name: &str) -> Status {
    match only_item(name).payload {
        Payload::Status(status) => *status,
        other => panic!("{name}: {other:?}"),
    }
}
