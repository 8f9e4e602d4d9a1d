//! What makes an e-mail address one person's.

/// The form in which addresses are compared. The local part is case-sensitive by the letter of RFC 5321 and by no mail
/// provider's practice: two people whose addresses differ in case only would be one mailbox, and a way to be mistaken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailKey(String);

impl EmailKey {
    pub(crate) fn new(email: &str) -> Self {
        Self(email.trim().to_lowercase())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
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
}
