//! The provider for a laptop and for installations without a key service: master keys in a file.
//!
//! One line a key: its name, a blank, 32 random bytes in base64. The first line's key wraps; the others only unwrap
//! what they wrapped before. To rotate, put a new line on top and restart. The old lines stay: nothing wraps their keys
//! again, so whatever was sealed with those would be lost. Empty lines and lines that begin with `#` are skipped.
//!
//! ```text
//! # openssl rand -base64 32
//! 2026-11 mK4m…=
//! 2026-02 9xPz…=
//! ```

mod key_file;

use std::{fmt, path::Path};

use async_trait::async_trait;
use zeroize::Zeroizing;

pub use key_file::{KeyFileError, create};

use crate::{DataKeyBytes, GeneratedKey, KeyContext, KeyProvider, ProviderError, place::join};

/// First byte of a wrapped key: AES-256-GCM under the named master key.
const VERSION: u8 = 1;
const FORMAT: &[u8] = b"switchboard.vault.local/1";

/// Master keys of a file.
pub struct LocalKeys {
    /// The first wraps; never empty.
    keys: Vec<MasterKey>,
}

struct MasterKey {
    name: String,
    bytes: DataKeyBytes,
}

impl fmt::Debug for LocalKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| &key.name))
            .finish()
    }
}

impl LocalKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is missing, readable by others, or a line of it is malformed.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let keys = key_file::read(path)?
            .into_iter()
            .map(|(name, bytes)| MasterKey { name, bytes })
            .collect();
        Ok(Self { keys })
    }

    /// A single key that lives as long as the process: for tests, whose databases live as long.
    pub fn ephemeral() -> Self {
        Self {
            keys: vec![MasterKey {
                name: "ephemeral".to_owned(),
                bytes: DataKeyBytes::generate(),
            }],
        }
    }

    fn active(&self) -> &MasterKey {
        self.keys
            .first()
            .expect("a key file without keys is refused")
    }
}

#[async_trait]
impl KeyProvider for LocalKeys {
    async fn generate_data_key(&self, context: KeyContext) -> Result<GeneratedKey, ProviderError> {
        let plaintext = DataKeyBytes::generate();
        let master = self.active();
        let encrypted = master
            .bytes
            .encrypt(&associated_data(&master.name, context), plaintext.expose());
        let length = u8::try_from(master.name.len()).expect("names are at most 64 bytes long");
        let mut wrapped = vec![VERSION, length];
        wrapped.extend_from_slice(master.name.as_bytes());
        wrapped.extend_from_slice(&encrypted);
        Ok(GeneratedKey { plaintext, wrapped })
    }

    async fn decrypt_data_key(
        &self,
        context: KeyContext,
        wrapped: &[u8],
    ) -> Result<DataKeyBytes, ProviderError> {
        const MALFORMED: ProviderError = ProviderError::Refused("the wrapped key is malformed");
        let [VERSION, length, rest @ ..] = wrapped else {
            return Err(MALFORMED);
        };
        let (name, encrypted) = rest
            .split_at_checked(usize::from(*length))
            .ok_or(MALFORMED)?;
        let master = self
            .keys
            .iter()
            .find(|key| key.name.as_bytes() == name)
            .ok_or(ProviderError::Refused(
                "the key file does not have the master key",
            ))?;
        let plaintext: Zeroizing<Vec<u8>> = master
            .bytes
            .decrypt(&associated_data(&master.name, context), encrypted)
            .ok_or(ProviderError::Refused(
                "the wrapped key does not open with this master key and context",
            ))?;
        DataKeyBytes::from_slice(&plaintext).ok_or(MALFORMED)
    }
}

fn associated_data(name: &str, context: KeyContext) -> Vec<u8> {
    let [organization, purpose] = context.pairs();
    join(&[
        FORMAT,
        name.as_bytes(),
        organization.0.as_bytes(),
        organization.1.as_bytes(),
        purpose.0.as_bytes(),
        purpose.1.as_bytes(),
    ])
}
