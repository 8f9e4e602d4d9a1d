//! Why a request is refused, in SCIM's words. No variant carries anything of the request: errors
//! are logged, and requests are about people.

use std::fmt;

/// Where and why a filter or a path cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset in the text.
    pub at: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.problem, self.at)
    }
}

/// A request that is refused. `Display` is the `detail` the client reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The filter does not follow the grammar or is over a limit.
    #[error("the filter cannot be read: {0}")]
    Filter(Fault),
    /// The filter is correct, but nothing here answers it by an index.
    #[error("this filter is not supported; supported are: {supported}")]
    FilterNotSupported {
        /// What can be asked of this resource.
        supported: &'static str,
    },
    /// The body is not the JSON that is expected there.
    #[error("{0}")]
    Syntax(&'static str),
    /// The path of a patch operation does not follow the grammar.
    #[error("the path cannot be read: {0}")]
    Path(Fault),
    /// The path selects within an attribute that has no such parts.
    #[error("`{attribute}` has no values or sub-attributes to select")]
    PathIntoSimple {
        /// The attribute.
        attribute: &'static str,
    },
    /// `remove` without a path (RFC 7644, 3.5.2.2).
    #[error("`remove` needs a path")]
    RemoveWithoutPath,
    /// The path's filter selects nothing, and is not one from which an element can be made.
    #[error("no value of `{attribute}` matches the path")]
    NoTarget {
        /// The attribute.
        attribute: &'static str,
    },
    /// The attribute may not be changed, or not removed.
    #[error("`{attribute}` cannot be {change}")]
    Mutability {
        /// The attribute.
        attribute: &'static str,
        /// `changed` or `removed`.
        change: &'static str,
    },
    /// A value of the wrong type, or a required one that is missing.
    #[error("`{attribute}` {problem}")]
    Value {
        /// The attribute or parameter.
        attribute: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More operations than one request may have.
    #[error("a patch may have {most} operations, attributes of a value without path included")]
    TooManyOperations {
        /// The limit.
        most: usize,
    },
}

impl Error {
    /// The detail keyword of RFC 7644, table 9.
    pub const fn scim_type(&self) -> ScimType {
        match self {
            Self::Filter(_) | Self::FilterNotSupported { .. } => ScimType::InvalidFilter,
            Self::Syntax(_) => ScimType::InvalidSyntax,
            Self::Path(_) | Self::PathIntoSimple { .. } => ScimType::InvalidPath,
            Self::RemoveWithoutPath | Self::NoTarget { .. } => ScimType::NoTarget,
            Self::Mutability { .. } => ScimType::Mutability,
            Self::Value { .. } => ScimType::InvalidValue,
            Self::TooManyOperations { .. } => ScimType::TooMany,
        }
    }
}

/// The detail keywords of RFC 7644, table 9, as far as this server gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
}

impl ScimType {
    /// As it stands in the error's `scimType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
        }
    }
}
