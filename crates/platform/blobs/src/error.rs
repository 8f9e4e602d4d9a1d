//! What can go wrong with a file.

use std::{borrow::Cow, io, path::PathBuf};

use errors::{Classify, Code, codes};

/// A file can't be taken in, kept or had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More bytes came than allowed.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// The most it may have.
        limit: u64,
    },
    /// The bytes are not those that were announced: they were cut, or changed on their way.
    #[error("the file does not have the hash that was announced")]
    WrongDigest,
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The bytes asked for lie beyond the end.
    #[error("the range lies beyond the end of the file")]
    RangeInvalid,
    /// The spool can't be written or read.
    #[error("use the spool")]
    Spool(#[source] io::Error),
    /// The store did not answer in time.
    #[error("{what} took too long")]
    Deadline {
        /// What was asked of it.
        what: &'static str,
    },
    /// The store failed.
    #[error("{what} failed")]
    Store {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        #[source]
        source: object_store::Error,
    },
    /// The folder can't be made.
    #[error("make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl BlobError {
    /// Whether trying again later may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Spool(_) | Self::Deadline { .. } | Self::Store { .. } | Self::WrongDigest => true,
            Self::TooLarge { .. } | Self::NotFound | Self::RangeInvalid | Self::Folder { .. } => {
                false
            }
        }
    }

    pub(crate) fn store(what: &'static str, source: object_store::Error) -> Self {
        match source {
            object_store::Error::NotFound { .. } => Self::NotFound,
            source => Self::Store { what, source },
        }
    }
}

impl Classify for BlobError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotFound => &codes::NOT_FOUND,
            Self::TooLarge { .. } | Self::WrongDigest | Self::RangeInvalid => {
                &codes::REQUEST_INVALID
            }
            Self::Deadline { .. } | Self::Store { .. } | Self::Spool(_) => &codes::UNAVAILABLE,
            Self::Folder { .. } => &codes::INTERNAL,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.code().title)
    }
}
