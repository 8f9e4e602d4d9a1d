//! Who holds the master keys.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use errors::{Classify, Code, codes};

use crate::{DataKeyBytes, Owner, Purpose};

/// Longest wait for a provider.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Wraps and unwraps data keys. A wrapped key only unwraps with the [`KeyContext`] it was wrapped with.
#[async_trait]
pub trait KeyProvider: Send + Sync {
    /// Makes a data key.
    ///
    /// # Errors
    /// When the provider refuses or can't be reached.
    async fn generate_data_key(&self, context: KeyContext) -> Result<GeneratedKey, ProviderError>;

    /// Unwraps a data key.
    ///
    /// # Errors
    /// When the provider refuses (the context differs, the bytes were changed, the master key is gone) or can't be
    /// reached.
    async fn decrypt_data_key(
        &self,
        context: KeyContext,
        wrapped: &[u8],
    ) -> Result<DataKeyBytes, ProviderError>;
}

/// What a data key is bound to. It is authenticated but not secret: AWS KMS writes it to its audit log in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyContext {
    /// Whose key it is.
    pub owner: Owner,
    /// What it is for.
    pub purpose: Purpose,
}

impl KeyContext {
    /// Names and values, as an encryption context of AWS KMS wants them.
    pub fn pairs(&self) -> [(&'static str, String); 2] {
        [
            ("organization", self.owner.to_string()),
            ("purpose", self.purpose.as_str().to_owned()),
        ]
    }
}

/// A new data key in both forms.
#[derive(Debug)]
pub struct GeneratedKey {
    /// In the clear.
    pub plaintext: DataKeyBytes,
    /// Encrypted under the provider's master key.
    pub wrapped: Vec<u8>,
}

/// Why a provider did not answer with a key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// It can't be reached, is overloaded or failed: trying again may help.
    #[error("the key provider is not available")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// It did not answer within five seconds.
    #[error("the key provider did not answer in time")]
    Timeout,
    /// It refused: trying again does not help.
    #[error("the key provider refused: {0}")]
    Refused(&'static str),
}

impl Classify for ProviderError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unavailable(_) => &codes::UNAVAILABLE,
            Self::Timeout => &codes::TIMEOUT,
            Self::Refused(_) => &codes::INTERNAL,
        }
    }
}
