//! Filters (RFC 7644, 3.4.2.2): read, judged against a resource, or turned into what an index can
//! answer.

mod literal;
mod lookup;
mod matching;
pub(crate) mod parser;

pub use lookup::Lookup;

pub(crate) use literal::Literal;
use parser::Parser;

use crate::{Error, ResourceKind};

kept_private!(Filter);

/// A parsed filter. Its values are people's names and addresses, so `Debug` does not show them.
#[derive(Clone, PartialEq)]
pub struct Filter(pub(crate) Node);

#[derive(Clone, PartialEq)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// `attribute op value`.
    Compare(AttributePath, Operator, Literal),
    /// `attribute pr`.
    Present(AttributePath),
    /// `attribute[filter]`: one element satisfies the whole filter. `a[f].b eq x` is kept as
    /// `a[f and b eq x]`, which is the same.
    Element(AttributePath, Box<Node>),
}

/// `name` or `name.sub`. A URN of our schemas is taken off; with another one the name is not ours.
#[derive(Clone, PartialEq)]
pub(crate) struct AttributePath {
    pub(crate) name: String,
    pub(crate) sub: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Filter {
    /// The longest filter that is read, in bytes.
    pub const MAX_BYTES: usize = 4_096;

    /// How deep parentheses and brackets may be nested.
    pub const MAX_DEPTH: usize = 16;

    /// Reads a filter.
    ///
    /// # Errors
    /// [`Error::Filter`] if it does not follow the grammar, is too long or too deep.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Parser::new(text)
            .and_then(Parser::whole_filter)
            .map(Self)
            .map_err(Error::Filter)
    }

    /// What has to be looked up, all of it together, to answer this filter.
    ///
    /// # Errors
    /// [`Error::FilterNotSupported`] for anything but equalities joined by `and` on the attributes
    /// that are indexed; the error names them.
    pub fn lookups(&self, kind: ResourceKind) -> Result<Vec<Lookup>, Error> {
        lookup::reduce(&self.0, kind)
    }
}
