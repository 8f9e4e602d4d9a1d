//! What makes an e-mail address one person's.

use super::sso::EmailDomain;

/// The form in which addresses are compared. The local part is case-sensitive by the letter of RFC 5321 and by no mail
/// provider's practice: two people whose addresses differ in case only would be one mailbox, and a way to be mistaken.
/// The same goes for a domain that is written in its own letters now and in ASCII then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailKey(String);

impl EmailKey {
    pub(crate) fn new(email: &str) -> Self {
        let email = email.trim();
        let in_one_form = || {
            let (local, domain) = email.rsplit_once('@')?;
            let domain = EmailDomain::parse(domain)?;
            Some(format!("{}@{domain}", local.to_lowercase()))
        };
        Self(in_one_form().unwrap_or_else(|| email.to_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_surrounding_blanks_do_not_make_another_person() {
        let key = EmailKey::new("Ada@Example.com");
        assert_eq!(key, EmailKey::new(" ada@example.COM "));
        assert_eq!(
            EmailKey::new("ÄDA@example.com"),
            EmailKey::new("äda@example.com")
        );
        assert_ne!(key, EmailKey::new("ada+x@example.com"));
    }

    #[test]
    fn a_domain_is_one_however_it_is_written() {
        let key = EmailKey::new("ada@xn--mnchen-3ya.example");
        for email in [
            "ada@m\u{fc}nchen.example",
            "Ada@M\u{dc}NCHEN.example",
            "ada@mu\u{308}nchen.example",
            "ada@m\u{fc}nchen.example.",
            "ada@m\u{fc}nchen\u{3002}example",
            "ada@XN--MNCHEN-3YA.example",
        ] {
            assert_eq!(EmailKey::new(email), key, "{email}");
        }
        // Cyrillic letters that look Latin make another domain.
        assert_ne!(
            EmailKey::new("ada@c\u{43e}rp.example"),
            EmailKey::new("ada@corp.example")
        );
        // Nothing to bring into a form; still one text for one spelling.
        for odd in ["", "ada", "ada@", "Ada@localhost", "a b@c"] {
            assert_eq!(EmailKey::new(odd).as_str(), odd.to_lowercase());
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in "\\PC{0,20}(@\\PC{0,20}(\\.\\PC{1,8})?)?") {
            let key = EmailKey::new(&text);
            prop_assert_eq!(EmailKey::new(key.as_str()), key);
        }
    }
}
