//! The merged tree of configured values, each with the place it came from.

use std::collections::BTreeMap;

/// Which layer a value came from; a later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    File,
    /// A variable name of the older product.
    Alias,
    Env,
}

/// Where a value was written, in the words of an operator.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) layer: Layer,
    /// `MESSAGING__DB__URL`, or `messaging.toml: db.url`.
    pub(super) place: String,
}

/// A value without structure. No `Debug`: it may be a secret.
#[derive(Clone)]
pub(super) enum Scalar {
    /// From the environment or a file reference: its type is what the reader asks for.
    Text(String),
    /// A TOML string, never read as anything else.
    Quoted(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
}

/// One place of the tree.
#[derive(Clone)]
pub(super) enum Node {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>, Origin),
    Leaf(Scalar, Origin),
    /// Stands for a value that is missing or unusable, so that the rest can still be checked.
    StandIn,
}

impl Node {
    pub(super) fn table() -> Self {
        Self::Table(BTreeMap::new())
    }

    /// The layer and place of this value, or of the first one below it.
    pub(super) fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Leaf(_, origin) | Self::List(_, origin) => Some(origin),
            Self::Table(entries) => entries.values().find_map(Self::origin),
            Self::StandIn => None,
        }
    }

    /// The node at a dotted path.
    pub(super) fn find(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, segment| match node {
            Self::Table(entries) => entries.get(segment),
            _ => None,
        })
    }

    /// Puts `value` at a dotted path, making tables on the way. What is no table on the way (a
    /// stand-in) is replaced by one.
    pub(super) fn put(&mut self, path: &str, value: Self) {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        if !matches!(self, Self::Table(_)) {
            *self = Self::table();
        }
        if let Self::Table(entries) = self {
            match rest {
                None => drop(entries.insert(first.to_owned(), value)),
                Some(rest) => entries
                    .entry(first.to_owned())
                    .or_insert_with(Self::table)
                    .put(rest, value),
            }
        }
    }
}
