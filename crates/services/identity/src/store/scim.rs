//! Directories that provision people over SCIM, and what they pushed. Every statement names the directory: row level
//! security keeps tenants apart, this keeps the directories of one tenant apart.

pub(crate) mod directories;
pub(crate) mod group_members;
pub(crate) mod groups;
pub(crate) mod lookups;
pub(crate) mod people;
pub(crate) mod users;

use ids::{OrganizationId, ScimDirectoryId};

/// Whose resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) organization_id: OrganizationId,
    pub(crate) directory_id: ScimDirectoryId,
}
