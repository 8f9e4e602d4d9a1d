//! Addresses as requests write them.

/// `ada@example.com`, or `Ada <ada@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) local: String,
    /// In lower case.
    pub(super) domain: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bare = match text.split_once('<') {
            Some((_name, rest)) => rest.strip_suffix('>')?,
            None => text,
        };
        let (local, domain) = bare.rsplit_once('@')?;
        let is_word = |part: &str| {
            !part.is_empty()
                && !part
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;@".contains(c))
        };
        let sound = is_word(local)
            && is_word(domain)
            && domain.contains('.')
            && !domain.split('.').any(str::is_empty);
        sound.then(|| Self {
            local: local.to_owned(),
            domain: domain.to_lowercase(),
        })
    }

    /// Without the name. The local part counts as written.
    pub(super) fn bare(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The local part without a label: `bounced` of `bounced+signup`.
    pub(super) fn user(&self) -> &str {
        self.local
            .split_once('+')
            .map_or(self.local.as_str(), |(user, _label)| user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_are_read() {
        let plain = Address::parse("ada+1@Example.com").expect("an address");
        assert_eq!(plain.bare(), "ada+1@example.com");
        assert_eq!(plain.user(), "ada");
        assert_eq!(Address::parse(" Ada <ada+1@example.com> "), Some(plain));
        for other in [
            "",
            "ada",
            "ada@",
            "ada@x",
            "a b@x.de",
            "a@b.de,c@d.de",
            "Ada <a@b.de",
            "a@.de",
        ] {
            assert_eq!(Address::parse(other), None, "{other}");
        }
    }
}
