//! Meta's verification request: a GET whenever a callback address or its verify token is saved.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Challenges longer than this are not echoed.
const MAX_CHALLENGE: usize = 128;

/// Why a verification request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// `hub.mode` is not `subscribe`.
    #[error("hub.mode is not subscribe")]
    Mode,
    /// `hub.verify_token` is wrong or missing.
    #[error("hub.verify_token is wrong")]
    Token,
    /// `hub.challenge` is missing or has characters we don't echo: anybody could have a browser
    /// show them under our name.
    #[error("hub.challenge is not acceptable")]
    Challenge,
}

/// Checks a verification request and returns the challenge to answer with, verbatim, as
/// `text/plain`.
///
/// # Errors
/// [`ChallengeError`]: answer with a client error.
pub fn answer<'c>(
    expected: &SecretString,
    mode: Option<&str>,
    token: Option<&str>,
    challenge: Option<&'c str>,
) -> Result<&'c str, ChallengeError> {
    if mode != Some("subscribe") {
        return Err(ChallengeError::Mode);
    }
    let expected = expected.expose_secret();
    // Hashing first makes the comparison take the same time for every length.
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let same = hash(expected).ct_eq(&hash(token.unwrap_or_default()));
    if expected.is_empty() || !bool::from(same) {
        return Err(ChallengeError::Token);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    challenge
        .filter(|challenge| (1..=MAX_CHALLENGE).contains(&challenge.len()))
        .filter(|challenge| challenge.bytes().all(plain))
        .ok_or(ChallengeError::Challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(token: &str, challenge: &str) -> Result<String, ChallengeError> {
        let answer = answer(
            &"vibe".into(),
            Some("subscribe"),
            Some(token),
            Some(challenge),
        );
        answer.map(str::to_owned)
    }

    #[test]
    fn the_challenge_is_echoed_verbatim_for_the_right_token() {
        assert_eq!(ask("vibe", "0001158201444").as_deref(), Ok("0001158201444"));
        assert_eq!(ask("vibe", "a_B-9").as_deref(), Ok("a_B-9"));
    }

    #[test]
    fn everything_else_is_refused() {
        for token in ["", "vib", "vibes", "VIBE"] {
            assert_eq!(ask(token, "1"), Err(ChallengeError::Token));
        }
        let long = "1".repeat(1_000_000);
        for challenge in ["", "<script>", "1\r\nX: y", "1 2", "ä", &long] {
            assert_eq!(ask("vibe", challenge), Err(ChallengeError::Challenge));
        }
        let mode = answer(&"vibe".into(), Some("unsubscribe"), Some("vibe"), Some("1"));
        assert_eq!(mode, Err(ChallengeError::Mode));
        let empty = answer(&"".into(), Some("subscribe"), Some(""), Some("1"));
        assert_eq!(
            empty,
            Err(ChallengeError::Token),
            "an unset token lets nobody in"
        );
    }
}
