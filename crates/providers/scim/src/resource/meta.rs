//! `meta`: what the server says about a resource.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ResourceKind;

/// The server's account of a resource (RFC 7643, 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    resource_type: String,
    /// When it was made here.
    pub created: DateTime<Utc>,
    /// When it was last changed here.
    pub last_modified: DateTime<Utc>,
    /// Its address; also the `Location` of the answer that says it was made.
    pub location: String,
    /// Its entity tag; also the `ETag` of the answer.
    pub version: Version,
}

impl Meta {
    /// `base` is the address of the SCIM service, without a slash at its end.
    pub fn new(
        kind: ResourceKind,
        base: &str,
        id: &str,
        created: DateTime<Utc>,
        last_modified: DateTime<Utc>,
        version: Version,
    ) -> Self {
        Self {
            resource_type: kind.name().to_owned(),
            created,
            last_modified,
            location: format!("{base}{}/{id}", kind.endpoint()),
            version,
        }
    }
}

/// A weak entity tag, `W/"7"`. Weak because the same version can be projected in many ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version(String);

impl Version {
    /// The tag of a row's revision, which grows with every change.
    pub fn of_revision(revision: i64) -> Self {
        Self(format!("W/\"{revision}\""))
    }

    /// As it stands in `ETag` and `meta.version`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an `If-Match` or `If-None-Match` header names this version: `*`, or a list of tags,
    /// compared weakly as RFC 7644, 3.14 does it.
    pub fn is_named_by(&self, header: &str) -> bool {
        let opaque = |tag: &str| {
            let tag = tag.trim();
            tag.strip_prefix("W/").unwrap_or(tag).to_owned()
        };
        header.trim() == "*" || header.split(',').any(|tag| opaque(tag) == opaque(&self.0))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_tag_in_any_list_and_by_a_star() {
        let version = Version::of_revision(7);
        assert_eq!(version.as_str(), "W/\"7\"");
        for header in ["W/\"7\"", "\"7\"", " W/\"6\" , W/\"7\"", "*"] {
            assert!(version.is_named_by(header), "{header}");
        }
        for header in ["", "7", "W/\"77\"", "\"6\", \"8\"", "W/*"] {
            assert!(!version.is_named_by(header), "{header}");
        }
    }
}
