//! One data key in memory, and the cipher.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use rand::{TryRngCore, rngs::OsRng};
use zeroize::Zeroizing;

/// Bytes of an AES-256 key.
pub(crate) const KEY_LENGTH: usize = 32;
/// Bytes of a GCM nonce.
pub(crate) const NONCE_LENGTH: usize = 12;

/// A key in the clear: wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct DataKeyBytes(Zeroizing<[u8; KEY_LENGTH]>);

impl DataKeyBytes {
    /// A new random key.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        fill_random(bytes.as_mut_slice());
        Self(bytes)
    }

    /// A key that a provider gave us; `None` unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        if bytes.len() != KEY_LENGTH {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The key itself.
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// AES-256-GCM under a random nonce: nonce, ciphertext, tag.
    ///
    /// Random 96-bit nonces allow 2^32 messages a key (NIST SP 800-38D). A key seals for 90 days, so the bound is
    /// 550 messages a second for one organization and purpose, without a pause.
    pub(crate) fn encrypt(&self, associated_data: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LENGTH];
        fill_random(&mut nonce);
        let payload = Payload {
            msg: plaintext,
            aad: associated_data,
        };
        let ciphertext = self
            .cipher()
            .encrypt(&Nonce::from(nonce), payload)
            .expect("AES-GCM takes messages up to 64 GiB, and no column value has that length");
        let mut sealed = nonce.to_vec();
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// The plaintext, unless anything differs from when it was sealed.
    pub(crate) fn decrypt(
        &self,
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LENGTH)?;
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().ok()?;
        let payload = Payload {
            msg: ciphertext,
            aad: associated_data,
        };
        self.cipher()
            .decrypt(&Nonce::from(nonce), payload)
            .ok()
            .map(Zeroizing::new)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.expose().into())
    }
}

impl fmt::Debug for DataKeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKeyBytes(…)")
    }
}

fn fill_random(bytes: &mut [u8]) {
    OsRng
        .try_fill_bytes(bytes)
        .expect("the operating system always has random bytes once it has started");
}
