//! An e-mail, and the key under which it is sent once.

use std::fmt;

use resend_rs::types::CreateEmailBaseOptions;

/// Most recipients of one e-mail.
const MAX_RECIPIENTS: usize = 50;

/// Most characters of a tag's name, and of its value.
const MAX_TAG_LENGTH: usize = 256;

/// An e-mail, ready to be sent. The sender is the client's.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Email {
    /// Recipients, 1 to 50: `ada@example.com` or `Ada <ada@example.com>`. They see each other.
    pub to: Vec<String>,
    /// The subject line, without line breaks.
    pub subject: String,
    /// The HTML version. This or `text`, better both.
    pub html: Option<String>,
    /// The plain version.
    pub text: Option<String>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// Come back with every event about this e-mail. No personal data: Resend shows them in its dashboard.
    pub tags: Vec<Tag>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("recipients", &self.to.len())
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// A name and a value that come back with events. Resend takes ASCII letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    name: String,
    value: String,
}

/// The key under which Resend takes an e-mail once, however often it is asked within [`IdempotencyKey::LIFETIME`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// What Resend would refuse, found before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Nobody, or too many.
    #[error("an e-mail has 1 to {MAX_RECIPIENTS} recipients")]
    Recipients,
    /// Something else than an address.
    #[error("an address is not one: `ada@example.com` or `Ada <ada@example.com>`")]
    Address,
    /// Empty, or with a line break, which would begin another header.
    #[error("a subject is one line and not empty")]
    Subject,
    /// Nothing to read.
    #[error("an e-mail needs a text or an HTML version")]
    Body,
    /// Characters or length that Resend does not take.
    #[error(
        "a tag has 1 to {MAX_TAG_LENGTH} ASCII letters, digits, `_` and `-` in its name and value"
    )]
    Tag,
    /// Empty, too long or not printable.
    #[error(
        "an idempotency key has 1 to {} printable ASCII characters",
        IdempotencyKey::MAX_LENGTH
    )]
    IdempotencyKey,
}

impl Tag {
    /// A tag.
    ///
    /// # Errors
    /// [`Invalid::Tag`].
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Result<Self, Invalid> {
        let (name, value) = (name.into(), value.into());
        let is_plain = |text: &str| {
            (1..=MAX_TAG_LENGTH).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        if is_plain(&name) && is_plain(&value) {
            Ok(Self { name, value })
        } else {
            Err(Invalid::Tag)
        }
    }
}

impl IdempotencyKey {
    /// Most characters of a key.
    pub const MAX_LENGTH: usize = 256;

    /// How long Resend remembers a key. An e-mail whose fate is unknown for longer must not be sent again blindly.
    pub const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::hours(24);

    /// A key. Use the id of what causes the e-mail, so that a repetition has the same one.
    ///
    /// # Errors
    /// [`Invalid::IdempotencyKey`].
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let sound = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if sound {
            Ok(Self(text))
        } else {
            Err(Invalid::IdempotencyKey)
        }
    }

    /// The key as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Email {
    /// Finds what Resend would refuse.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if !(1..=MAX_RECIPIENTS).contains(&self.to.len()) {
            return Err(Invalid::Recipients);
        }
        if !self
            .to
            .iter()
            .chain(&self.reply_to)
            .all(|to| is_address(to))
        {
            return Err(Invalid::Address);
        }
        if self.subject.trim().is_empty() || self.subject.chars().any(char::is_control) {
            return Err(Invalid::Subject);
        }
        let is_empty = |body: &Option<String>| body.as_deref().is_none_or(str::is_empty);
        if is_empty(&self.html) && is_empty(&self.text) {
            return Err(Invalid::Body);
        }
        Ok(())
    }

    /// The body of the request.
    pub(crate) fn request(&self, from: &str) -> CreateEmailBaseOptions {
        let mut request = CreateEmailBaseOptions::new(from, &self.to, &self.subject);
        if let Some(html) = &self.html {
            request = request.with_html(html);
        }
        if let Some(text) = &self.text {
            request = request.with_text(text);
        }
        if let Some(reply_to) = &self.reply_to {
            request = request.with_reply(reply_to);
        }
        self.tags.iter().fold(request, |request, tag| {
            request.with_tag(resend_rs::types::Tag::new(&tag.name, &tag.value))
        })
    }
}

/// Whether it has the shape of an address, with or without a name. Only Resend knows whether it is one.
pub(crate) fn is_address(text: &str) -> bool {
    if text.chars().any(char::is_control) {
        return false;
    }
    let bare = match text.split_once('<') {
        Some((_name, rest)) => rest.strip_suffix('>'),
        None => Some(text),
    };
    let Some((local, domain)) = bare.and_then(|bare| bare.rsplit_once('@')) else {
        return false;
    };
    let is_word = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>,;@".contains(c))
    };
    is_word(local) && is_word(domain) && domain.contains('.') && !domain.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        Email {
            to: vec!["ada@example.com".into()],
            subject: "Hi".into(),
            text: Some("Hi".into()),
            ..Email::default()
        }
    }

    #[test]
    fn addresses_are_taken_with_and_without_a_name() {
        for sound in [
            "ada@example.com",
            "Ada Lovelace <ada+tag@mail.example.com>",
            "<a@b.co>",
        ] {
            assert!(is_address(sound), "{sound}");
        }
        for other in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@example..com",
            "ada example@x.de",
            "a@b.de, c@d.de",
            "Ada <ada@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "Ada\n <ada@example.com>",
        ] {
            assert!(!is_address(other), "{other}");
        }
    }

    #[test]
    fn what_resend_would_refuse_is_found_before() {
        assert_eq!(email().check(), Ok(()));
        let broken = |change: fn(&mut Email)| {
            let mut email = email();
            change(&mut email);
            email.check()
        };
        for (change, expected) in [
            ((|e| e.to.clear()) as fn(&mut Email), Invalid::Recipients),
            (
                |e| e.to = vec!["ada@example.com".into(); 51],
                Invalid::Recipients,
            ),
            (|e| e.to.push("eve".into()), Invalid::Address),
            (|e| e.reply_to = Some("eve".into()), Invalid::Address),
            (|e| e.subject = " ".into(), Invalid::Subject),
            (|e| e.subject = "a\r\nBcc: b".into(), Invalid::Subject),
            (|e| e.text = None, Invalid::Body),
            (|e| e.text = Some(String::new()), Invalid::Body),
        ] {
            assert_eq!(broken(change), Err(expected));
        }
        assert_eq!(broken(|e| e.to = vec!["a@b.co".into(); 50]), Ok(()));
    }

    #[test]
    fn tags_and_keys_have_the_characters_and_lengths_resend_takes() {
        let long = "x".repeat(256);
        assert!(Tag::new("category", "password_reset-2").is_ok());
        assert!(Tag::new(&long, &long).is_ok());
        for (name, value) in [("", "x"), ("x", ""), ("a b", "x"), ("x", "ü"), ("x", "a@b")] {
            assert_eq!(Tag::new(name, value), Err(Invalid::Tag), "{name} {value}");
        }
        assert_eq!(Tag::new(format!("{long}x"), "x"), Err(Invalid::Tag));
        assert!(IdempotencyKey::new(&long).is_ok());
        for key in ["", "a b", "a\n", "ü", &format!("{long}x")] {
            assert!(IdempotencyKey::new(key).is_err(), "{key}");
        }
    }

    #[test]
    fn neither_addresses_nor_texts_are_printed() {
        let printed = format!("{:?}", email());
        assert!(
            !printed.contains("ada") && !printed.contains("Hi"),
            "{printed}"
        );
    }
}
