//! What names a file.

use std::{fmt, str::FromStr};

/// The SHA-256 of a file's bytes. Its text is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// A text or a column that is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a SHA-256")]
pub struct DigestInvalid;

impl Digest {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Digest {
    type Error = DigestInvalid;

    fn try_from(bytes: &[u8]) -> Result<Self, DigestInvalid> {
        bytes.try_into().map(Self).map_err(|_| DigestInvalid)
    }
}

impl FromStr for Digest {
    type Err = DigestInvalid;

    fn from_str(text: &str) -> Result<Self, DigestInvalid> {
        // One text per digest: upper-case digits would name another object.
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(DigestInvalid);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestInvalid)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_digest_is_read_as_it_was_written(bytes: [u8; 32]) {
            let digest = Digest::from_bytes(bytes);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
            prop_assert_eq!(Digest::try_from(bytes.as_slice()), Ok(digest));
        }

        #[test]
        fn other_texts_are_refused(text in "[0-9a-f]{0,63}|[0-9A-F]{63}G|[0-9a-f]{65,80}") {
            prop_assert_eq!(text.parse::<Digest>(), Err(DigestInvalid));
        }
    }
}
