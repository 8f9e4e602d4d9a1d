//! Where a sealed value belongs: what its encryption is bound to.

use std::fmt;

use ids::{DataKeyId, OrganizationId};

/// Names the construction, so that a value of another version or product never passes.
const FORMAT: &[u8] = b"switchboard.vault/1";

/// Whose secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A tenant. Its keys can be destroyed with it.
    Organization(OrganizationId),
    /// The platform itself, for keys that serve all tenants.
    Platform,
}

impl Owner {
    /// The value of `organization_id` in `data_keys`: the nil uuid for the platform.
    pub const fn organization_id(self) -> OrganizationId {
        match self {
            Self::Organization(id) => id,
            Self::Platform => OrganizationId::PLATFORM,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => id.fmt(f),
            Self::Platform => f.write_str("platform"),
        }
    }
}

/// What a secret is for; each purpose has its own data keys. Lower-case words with dashes, `whatsapp-token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// A purpose; define it once as a constant beside the table it serves.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The one cell of the database where a sealed value opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose secret it is.
    pub owner: Owner,
    /// What it is for.
    pub purpose: Purpose,
    table: &'static str,
    column: &'static str,
    row: String,
}

impl Place {
    /// The cell `table.column` of the row with the id `row`.
    pub fn new(
        owner: Owner,
        purpose: Purpose,
        table: &'static str,
        column: &'static str,
        row: impl fmt::Display,
    ) -> Self {
        Self {
            owner,
            purpose,
            table,
            column,
            row: row.to_string(),
        }
    }

    /// The associated data of the encryption.
    pub(crate) fn associated_data(&self, key: DataKeyId) -> Vec<u8> {
        join(&[
            FORMAT,
            self.owner.to_string().as_bytes(),
            self.purpose.as_str().as_bytes(),
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row.as_bytes(),
            key.as_uuid().as_bytes(),
        ])
    }
}

/// Parts with their lengths, so that no two lists of parts give the same bytes.
pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_boundary_between_parts_changes_the_associated_data() {
        assert_ne!(join(&[b"ab", b"c"]), join(&[b"a", b"bc"]));
        assert_ne!(join(&[b"", b"a"]), join(&[b"a", b""]));
        assert_ne!(join(&[b"a"]), join(&[b"a", b""]));
    }
}
