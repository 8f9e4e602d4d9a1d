//! What an operator sets.

use std::{path::PathBuf, sync::Arc};

use clock::Clock;
use serde::Deserialize;

use crate::{
    Vault,
    local::{KeyFileError, LocalKeys},
};

/// The section `vault` of a service's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// Who wraps the data keys.
    #[serde(default)]
    pub provider: Provider,
    /// The file with the master keys of the `local` provider; [`crate::local`] describes it.
    pub key_path: PathBuf,
}

/// Who wraps data keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Master keys in a file.
    #[default]
    Local,
}

impl VaultConfig {
    /// Keys, defaults and meanings, for the configuration reference.
    pub const DOCS: &[(&str, &str, &str)] = &[
        (
            "provider",
            "local",
            "Who wraps the data keys that encrypt stored secrets.",
        ),
        (
            "key_path",
            "",
            "File with the master keys of the provider `local`: lines of a name and 32 bytes in base64, the first wraps. \
             Only its owner and its group may be able to read it.",
        ),
    ];

    /// Opens the provider.
    ///
    /// # Errors
    /// When the key file is missing, readable by others or malformed.
    pub fn open(&self, clock: Clock) -> Result<Vault, KeyFileError> {
        match self.provider {
            Provider::Local => Ok(Vault::new(
                Arc::new(LocalKeys::read(&self.key_path)?),
                clock,
            )),
        }
    }
}
