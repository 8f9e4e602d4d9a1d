//! Why a message failed, in the words of the inbox.

use proto::messaging::v1::Failure;
use whatsapp::codes::{self, Class, Scope};

/// The failure WhatsApp's error code stands for.
pub(crate) fn from_code(code: i64) -> Failure {
    let known = codes::find(code);
    Failure {
        provider_code: i32::try_from(code).unwrap_or(0),
        class: known
            .map_or("provider", |entry| class(code, entry.scope))
            .to_owned(),
        retryable: known.is_some_and(|entry| !matches!(entry.class, Class::Never)),
        hint: known
            .map_or(
                "WhatsApp reported an error this version does not know. See the code.",
                |entry| entry.hint,
            )
            .to_owned(),
    }
}

/// The failure of a message whose window has closed since it was queued.
pub(crate) fn window_closed() -> Failure {
    from_code(WINDOW_CLOSED)
}

/// A failure of ours, before WhatsApp was asked.
pub(crate) fn ours(class: &str, hint: &str) -> Failure {
    Failure {
        provider_code: 0,
        class: class.to_owned(),
        retryable: false,
        hint: hint.to_owned(),
    }
}

/// Meta: the number sends faster than it may.
pub(crate) const TOO_FAST: i32 = 130_429;
/// Meta: 131047 is the closed 24-hour window; it has a class of its own because a template cures it.
const WINDOW_CLOSED: i64 = 131_047;

const fn class(code: i64, scope: Scope) -> &'static str {
    if code == WINDOW_CLOSED {
        return "window";
    }
    match scope {
        Scope::Message => "content",
        Scope::Recipient => "recipient",
        Scope::Template => "template",
        Scope::Number => "number",
        Scope::Waba => "account",
        Scope::Credential | Scope::App => "credential",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do_and_whether_repeating_helps() {
        let closed = window_closed();
        assert_eq!((closed.class.as_str(), closed.retryable), ("window", false));
        assert!(closed.hint.contains("template"));
        assert!(from_code(130_429).retryable);
        assert_eq!(from_code(987_654_321).class, "provider");
    }
}
