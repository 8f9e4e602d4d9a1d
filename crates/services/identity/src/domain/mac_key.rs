//! Texts and hashes that only this platform can make: HMAC-SHA256 under a key that is sealed in the database.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a sealed text is for. A text of one use is worth nothing in another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// What every such text begins with, so that people and secret scanners recognise one.
    pub(crate) prefix: &'static str,
    /// Names the construction: a MAC of another use of the key never fits. No context is the beginning of another.
    pub(crate) context: &'static [u8],
}

const TAG: usize = 32;

/// Makes and opens them.
#[derive(Clone)]
pub(crate) struct MacKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(…)")
    }
}

impl MacKey {
    pub(crate) const fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// A text that only this key can make, for one use: `body` is readable, and can't be changed.
    pub(crate) fn seal(&self, usage: Usage, body: &[u8]) -> SecretString {
        let mut bytes = body.to_vec();
        let tag = self.mac(usage, body).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(&bytes));
        SecretString::from(format!("{}{}", usage.prefix, text.as_str()))
    }

    /// The body of a text that [`seal`](Self::seal) made for the same use.
    pub(crate) fn open(&self, usage: Usage, text: &str) -> Option<Vec<u8>> {
        let mut bytes = BASE64_URL_SAFE_NO_PAD
            .decode(text.strip_prefix(usage.prefix)?)
            .ok()?;
        let tag = bytes.split_off(bytes.len().checked_sub(TAG)?);
        self.mac(usage, &bytes).verify_slice(&tag).ok()?;
        Some(bytes)
    }

    /// A hash that can't be guessed at without the key.
    pub(crate) fn hash(&self, usage: Usage, body: &[u8]) -> [u8; TAG] {
        self.mac(usage, body).finalize().into_bytes().into()
    }

    fn mac(&self, usage: Usage, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::new_from_slice(self.0.as_slice()).expect("HMAC takes keys of any length");
        mac.update(usage.context);
        mac.update(body);
        mac
    }
}
