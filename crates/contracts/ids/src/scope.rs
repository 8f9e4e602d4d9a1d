//! Who acts for which tenant.

use std::fmt;

use crate::{ApiKeyId, OrganizationId, ScimDirectoryId, UserId};

/// The author of a change, as it is recorded beside the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User(UserId),
    /// A program of the tenant.
    ApiKey(ApiKeyId),
    /// A directory of the tenant that provisions people.
    Directory(ScimDirectoryId),
    /// One of our services or an operator's program, by its client name.
    Service(String),
    /// A part of the platform that acts on its own, such as a consumer or a sweep.
    System(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::ApiKey(id) => write!(f, "api_key:{id}"),
            Self::Directory(id) => write!(f, "directory:{id}"),
            Self::Service(name) => write!(f, "service:{name}"),
            Self::System(part) => write!(f, "system:{part}"),
        }
    }
}

/// The tenant whose rows may be touched, and on whose behalf. It is built where a caller is
/// authenticated or where a stored row names its tenant; never from a header alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantScope {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The author.
    pub actor: Actor,
}

impl TenantScope {
    /// A scope for the platform's own work on a tenant's rows.
    pub const fn system(organization_id: OrganizationId, part: &'static str) -> Self {
        Self {
            organization_id,
            actor: Actor::System(part),
        }
    }
}
