//! E-mail domains in the one form in which they are stored and compared.

use std::fmt;

use url::Host;

/// Providers of mailboxes for everybody that are no public suffixes. Proving such a domain by DNS is beyond anybody
/// but the provider; refusing it says so at once.
const MAILBOX_PROVIDERS: &[&str] = &[
    "aol.com",
    "fastmail.com",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "outlook.com",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "web.de",
    "yahoo.co.id",
    "yahoo.co.in",
    "yahoo.co.uk",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];
/// RFC 1035 section 2.3.4, without the dots at both ends.
const MAX_LENGTH: usize = 253;
const MAX_LABEL: usize = 63;

/// A domain: ASCII, lower case, without a dot at the end. Names that only look alike stay apart, since IDNA gives
/// them different ASCII forms.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EmailDomain(String);

/// Why nobody can claim a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DomainFault {
    NotADomain,
    /// Anybody can have an address or a domain under it.
    Public,
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl EmailDomain {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        let Ok(Host::Domain(domain)) = Host::parse(text) else {
            return None;
        };
        let is_label = |label: &str| {
            (1..=MAX_LABEL).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        (domain.len() <= MAX_LENGTH && domain.contains('.') && domain.split('.').all(is_label))
            .then_some(Self(domain))
    }

    /// The domain, if one organization can own it.
    pub(crate) fn claim(text: &str) -> Result<Self, DomainFault> {
        let domain = Self::parse(text).ok_or(DomainFault::NotADomain)?;
        let is_suffix =
            psl::suffix(domain.0.as_bytes()).is_none_or(|suffix| suffix == domain.0.as_bytes());
        if is_suffix || MAILBOX_PROVIDERS.contains(&domain.as_str()) {
            return Err(DomainFault::Public);
        }
        Ok(domain)
    }

    /// Of an e-mail address.
    pub(crate) fn of_address(address: &str) -> Option<Self> {
        let (local, domain) = address.trim().rsplit_once('@')?;
        (!local.is_empty()).then(|| Self::parse(domain)).flatten()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the DNS record is published that proves the domain.
    pub(crate) fn record_name(&self) -> String {
        format!("_switchboard-challenge.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<String> {
        EmailDomain::parse(text).map(|domain| domain.to_string())
    }

    #[test]
    fn a_domain_has_one_form() {
        for text in ["corp.example", "Corp.EXAMPLE", " corp.example. "] {
            assert_eq!(parsed(text).as_deref(), Some("corp.example"), "{text}");
        }
        for text in [
            "münchen.example",
            "MÜNCHEN.example",
            "xn--mnchen-3ya.example",
        ] {
            assert_eq!(
                parsed(text).as_deref(),
                Some("xn--mnchen-3ya.example"),
                "{text}"
            );
        }
        // Cyrillic letters that look Latin make another domain.
        assert_ne!(parsed("cоrp.example"), parsed("corp.example"));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for text in [
            "",
            "corp",
            ".",
            "a..example",
            "127.0.0.1",
            "[::1]",
            "2130706433",
            "-a.example",
            "a-.example",
            "a_b.example",
            "a b.example",
            "a@b.example",
            "a/b.example",
            "a.example:25",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(parsed(&format!("{}.example", "a".repeat(64))), None);
        assert_eq!(parsed(&"a.".repeat(130)), None);
    }

    #[test]
    fn nobody_claims_what_is_everybodys() {
        for text in [
            "gmail.com",
            "GMAIL.com.",
            "outlook.com",
            "co.uk",
            "github.io",
        ] {
            assert_eq!(EmailDomain::claim(text), Err(DomainFault::Public), "{text}");
        }
        assert_eq!(EmailDomain::claim("corp"), Err(DomainFault::NotADomain));
        for text in ["corp.example", "corp.co.uk", "mail.corp.com"] {
            assert!(EmailDomain::claim(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_last_at_sign_ends_the_name() {
        let of = |text| EmailDomain::of_address(text).map(|domain| domain.to_string());
        assert_eq!(of("Ada@Corp.example").as_deref(), Some("corp.example"));
        assert_eq!(
            of("a@corp.example@evil.example").as_deref(),
            Some("evil.example")
        );
        for text in ["", "ada", "@corp.example", "ada@", "ada@corp"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(text in "\\PC{0,40}(\\.\\PC{1,10})?") {
            if let Some(domain) = EmailDomain::parse(&text) {
                prop_assert!(domain.as_str().is_ascii());
                prop_assert_eq!(EmailDomain::parse(domain.as_str()), Some(domain));
            }
        }
    }
}
