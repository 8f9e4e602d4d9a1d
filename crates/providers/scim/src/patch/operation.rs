//! The operations of a patch's body.

use serde_json::Value;

use super::Patch;
use crate::{
    Error,
    document::Document,
    filter::{
        Node,
        parser::{Parser, ValuePath},
    },
    schema::{MEMBERS, without_core_urn},
};

/// One operation on one path.
#[derive(Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) verb: Verb,
    pub(super) path: Path,
    /// `None` only with `remove`.
    pub(super) value: Option<Value>,
    /// Whether the client wrote the path itself, and not a key of a value without path. Keys may
    /// be what the client read before, read-only attributes included.
    pub(super) is_explicit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

/// `name`, `name.sub`, `name[selection]` or `name[selection].sub`.
#[derive(Clone, PartialEq)]
pub(super) struct Path {
    pub(super) name: String,
    pub(super) selection: Option<Node>,
    pub(super) sub: Option<String>,
}

impl Path {
    fn parse(text: &str) -> Result<Self, Error> {
        let ValuePath {
            attribute,
            selection,
        } = Parser::new(text)
            .and_then(Parser::whole_path)
            .map_err(Error::Path)?;
        Ok(Self {
            name: attribute.name,
            selection,
            sub: attribute.sub,
        })
    }
}

impl Operation {
    /// Whether it gives the complete list of members.
    pub(super) fn replaces_members(&self) -> bool {
        let is_whole = self.path.selection.is_none() && self.path.sub.is_none();
        let gives_all = match self.verb {
            Verb::Replace => true,
            Verb::Remove => self.value.is_none(),
            Verb::Add => false,
        };
        is_whole && gives_all && self.path.name.eq_ignore_ascii_case(MEMBERS)
    }
}

pub(super) fn read_all(body: Document) -> Result<Vec<Operation>, Error> {
    let Some(Value::Array(entries)) = take(body, ["Operations"]).into_iter().next().flatten()
    else {
        return Err(Error::Syntax("`Operations` must be an array"));
    };
    let mut operations = Vec::new();
    for entry in entries {
        let Value::Object(entry) = entry else {
            return Err(Error::Syntax("an operation must be an object"));
        };
        read_one(entry, &mut operations)?;
        if operations.len() > Patch::MAX_OPERATIONS {
            return Err(Error::TooManyOperations {
                most: Patch::MAX_OPERATIONS,
            });
        }
    }
    Ok(operations)
}

fn read_one(entry: Document, into: &mut Vec<Operation>) -> Result<(), Error> {
    let [op, path, value] = take(entry, ["op", "path", "value"]);
    let verb = match op.as_ref().and_then(Value::as_str) {
        Some(op) if op.eq_ignore_ascii_case("add") => Verb::Add,
        Some(op) if op.eq_ignore_ascii_case("replace") => Verb::Replace,
        Some(op) if op.eq_ignore_ascii_case("remove") => Verb::Remove,
        _ => return Err(Error::Syntax("`op` must be add, replace or remove")),
    };
    if verb != Verb::Remove && value.is_none() {
        return Err(Error::Syntax("`add` and `replace` need a value"));
    }
    let path = match path {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.trim().is_empty() => None,
        Some(Value::String(path)) => Some(path),
        Some(_) => return Err(Error::Syntax("`path` must be a text")),
    };
    match (path, value) {
        (Some(path), value) => {
            into.push(Operation {
                verb,
                path: Path::parse(&path)?,
                // RFC 7643, 2.5: null is the same as not there.
                value: value.filter(|value| verb != Verb::Remove || !value.is_null()),
                is_explicit: true,
            });
            Ok(())
        }
        (None, _) if verb == Verb::Remove => Err(Error::RemoveWithoutPath),
        (None, Some(Value::Object(attributes))) => take_apart(verb, attributes, into),
        (None, _) => Err(Error::Syntax("without a path the value must be an object")),
    }
}

/// A value without path: each key is a path, as Entra writes `name.givenName` and
/// `emails[type eq "work"].value` there.
fn take_apart(verb: Verb, attributes: Document, into: &mut Vec<Operation>) -> Result<(), Error> {
    for (key, value) in attributes {
        if without_core_urn(&key).is_none() {
            if let Value::Object(core) = value {
                take_apart(verb, core, into)?;
            }
            continue;
        }
        into.push(Operation {
            verb,
            path: Path::parse(&key)?,
            value: Some(value),
            is_explicit: false,
        });
    }
    Ok(())
}

/// The members of these names, whatever their case.
fn take<const N: usize>(object: Document, names: [&str; N]) -> [Option<Value>; N] {
    let mut found = [const { None }; N];
    for (key, value) in object {
        let position = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(&key));
        if let Some(position) = position {
            found[position] = Some(value);
        }
    }
    found
}
