//! HMAC-SHA256, which proves that who made a text knows a secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The MAC of `text` under `key`.
pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}
