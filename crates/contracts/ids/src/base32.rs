//! 128 bits as 26 characters of Crockford's base32, lower case: no `i`, `l`, `o`, `u`, so an id
//! survives being read aloud, and text order equals numeric order.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of an encoded id.
pub(crate) const LENGTH: usize = 26;

pub(crate) fn encode(value: u128) -> [u8; LENGTH] {
    let mut text = [b'0'; LENGTH];
    for (position, slot) in text.iter_mut().rev().enumerate() {
        let digit = (value >> (5 * position)) & 31;
        *slot = ALPHABET[usize::try_from(digit).unwrap_or_default()];
    }
    text
}

/// Strict: exactly 26 lower-case characters that encode no more than 128 bits.
pub(crate) fn decode(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    // 26 characters hold 130 bits: a first digit above 7 would overflow.
    if bytes.len() != LENGTH || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        Some((value << 5) | u128::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_a_round_trip() {
        for value in [0, 1, 31, 32, u128::MAX, u128::MAX - 1, 1 << 127] {
            let text = encode(value);
            let text = std::str::from_utf8(&text).expect("ascii");
            assert_eq!(decode(text), Some(value));
        }
    }

    #[test]
    fn values_that_do_not_fit_and_foreign_letters_are_refused() {
        assert_eq!(decode("80000000000000000000000000"), None);
        assert_eq!(decode("0000000000000000000000000i"), None);
        assert_eq!(decode("0000000000000000000000000A"), None);
        assert_eq!(decode("0"), None);
        assert_eq!(decode("é000000000000000000000000"), None);
    }
}
