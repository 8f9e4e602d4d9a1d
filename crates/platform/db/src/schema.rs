//! The name of a service's schema, from which everything else in the database is named.

use std::fmt;

/// A schema's name. It ends up inside SQL text, so it is checked once, and it is `'static`, so it can't come from
/// input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Schema(&'static str);

/// The name can't be a schema's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a schema name: use at most 40 lower-case letters, digits and underscores, beginning with a letter"
)]
pub struct SchemaNameInvalid(&'static str);

impl Schema {
    /// The longest suffix of a derived name is `_system`, and PostgreSQL cuts names silently at 63 bytes.
    const LENGTH: usize = 40;

    /// Checks a name.
    ///
    /// # Errors
    /// When it is not one word of lower-case letters, digits and underscores.
    pub fn new(name: &'static str) -> Result<Self, SchemaNameInvalid> {
        let word = name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let begins = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase());
        if word && begins && name.len() <= Self::LENGTH && !name.starts_with("pg_") {
            Ok(Self(name))
        } else {
            Err(SchemaNameInvalid(name))
        }
    }

    /// The name itself.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Owns every object; nobody logs in as it, migrations switch to it.
    pub fn owner_role(self) -> String {
        format!("{}_owner", self.0)
    }

    /// Serves requests; row level security applies.
    pub fn app_role(self) -> String {
        format!("{}_app", self.0)
    }

    /// Relays, consumers, sweeps and schedulers: sees every organization.
    pub fn system_role(self) -> String {
        format!("{}_system", self.0)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_become_schema_names() {
        assert!(Schema::new("messaging").is_ok());
        assert!(Schema::new("crm_2").is_ok());
        for name in [
            "",
            "Messaging",
            "1st",
            "_x",
            "a-b",
            "a;drop",
            "a\"b",
            "pg_temp",
            "é",
        ] {
            assert!(Schema::new(name).is_err(), "{name}");
        }
        assert!(Schema::new("a2345678901234567890123456789012345678901").is_err());
    }
}
