//! Why a value could not be sealed or opened.

use errors::{Classify, Code, codes};
use ids::DataKeyId;

use crate::{ProviderError, StoreError};

/// Why a value could not be sealed or opened. Cheap to clone: callers that wait for the same key share the failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The table of wrapped keys could not be read or written.
    #[error("read or write a wrapped data key")]
    Store(#[source] StoreError),
    /// The provider did not wrap or unwrap the data key.
    #[error("wrap or unwrap a data key")]
    Provider(#[source] ProviderError),
    /// The key was destroyed, or belongs to another owner or purpose.
    #[error("data key {0} of this owner and purpose does not exist")]
    KeyGone(DataKeyId),
    /// The value was changed, or belongs to another place.
    #[error("the sealed value does not open at this place")]
    Refused,
    /// It is not a sealed value.
    #[error("the stored bytes are not a sealed value")]
    Malformed,
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Provider(error) => error.code(),
            Self::KeyGone(_) | Self::Refused | Self::Malformed => &codes::INTERNAL,
        }
    }
}
