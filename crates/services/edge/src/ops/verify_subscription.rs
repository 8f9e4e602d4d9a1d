//! Meta verifies a callback address before it sends anything there.

use crate::domain::apps::App;

/// Meta's challenges are some ten digits.
const LONGEST_CHALLENGE: usize = 128;

/// Why the address is not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VerifySubscriptionError {
    #[error("hub.mode must be `subscribe`")]
    Mode,
    #[error(
        "hub.challenge must be 1 to {LONGEST_CHALLENGE} letters, digits, dashes and underscores"
    )]
    Challenge,
    #[error("the value of hub.verify_token is not the one of this app")]
    Token,
}

/// The challenge to echo. What is echoed can be no markup, so that the address can't be used to put a script under our
/// host name.
///
/// # Errors
/// [`VerifySubscriptionError`]; nothing of the query may be echoed then.
pub(crate) fn verify_subscription(
    app: &App,
    query: &str,
) -> Result<String, VerifySubscriptionError> {
    let (mut mode, mut token, mut challenge) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "hub.mode" => mode = Some(value),
            "hub.verify_token" => token = Some(value),
            "hub.challenge" => challenge = Some(value),
            _ => {}
        }
    }
    if mode.as_deref() != Some("subscribe") {
        return Err(VerifySubscriptionError::Mode);
    }
    let challenge = challenge
        .filter(|challenge| is_harmless(challenge))
        .ok_or(VerifySubscriptionError::Challenge)?;
    if token.is_some_and(|token| app.knows_token(&token)) {
        Ok(challenge.into_owned())
    } else {
        Err(VerifySubscriptionError::Token)
    }
}

fn is_harmless(challenge: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_CHALLENGE).contains(&challenge.len()) && challenge.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use whatsapp::signature::AppSecret;

    use super::*;

    fn verify(query: &str) -> Result<String, VerifySubscriptionError> {
        let secrets = vec![AppSecret::new(SecretString::from("s"))];
        let app = App::new("a", secrets, SecretString::from("to ken&")).expect("an app");
        verify_subscription(&app, query)
    }

    #[test]
    fn the_challenge_is_echoed_to_who_knows_the_token() {
        let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=to+ken%26";
        assert_eq!(verify(query), Ok("1158201444".to_owned()));
    }

    #[test]
    fn nothing_is_echoed_to_anybody_else() {
        use VerifySubscriptionError::{Challenge, Mode, Token};
        let long = format!(
            "hub.mode=subscribe&hub.verify_token=to+ken%26&hub.challenge={}",
            "1".repeat(129)
        );
        for (query, expected) in [
            ("", Mode),
            (
                "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=to+ken%26",
                Mode,
            ),
            ("hub.mode=subscribe&hub.verify_token=to+ken%26", Challenge),
            (
                "hub.mode=subscribe&hub.challenge=&hub.verify_token=to+ken%26",
                Challenge,
            ),
            (
                "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=to+ken%26",
                Challenge,
            ),
            (
                "hub.mode=subscribe&hub.challenge=1%0D%0Ax&hub.verify_token=to+ken%26",
                Challenge,
            ),
            (
                "hub.mode=subscribe&hub.challenge=%C3%A9&hub.verify_token=to+ken%26",
                Challenge,
            ),
            (&long, Challenge),
            ("hub.mode=subscribe&hub.challenge=1", Token),
            (
                "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
                Token,
            ),
            (
                "hub.mode=subscribe&hub.challenge=1&hub.verify_token=to+ken",
                Token,
            ),
        ] {
            assert_eq!(verify(query), Err(expected), "{query}");
        }
    }
}
