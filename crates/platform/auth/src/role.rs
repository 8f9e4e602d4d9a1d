//! The roles of a member.

use std::{fmt, str::FromStr};

use proto::identity::v1 as wire;
use serde::{Deserialize, Serialize};

/// What a member is in the organization, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, including billing and the organization's end.
    Owner,
    /// Everything but billing and owners.
    Admin,
    /// Some of what admins may, as the organization chose: the scopes of the caller name it.
    Custom,
    /// The daily work.
    Agent,
    /// Reads the daily work.
    Viewer,
}

/// The text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role")]
pub struct RoleUnknown;

impl Role {
    /// Every role, from most to least.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Admin,
        Self::Custom,
        Self::Agent,
        Self::Viewer,
    ];

    /// Whether a member with this role has no more to say than one with `other`.
    pub fn is_at_most(self, other: Self) -> bool {
        let rank = |role| Self::ALL.iter().position(|listed| *listed == role);
        rank(self) >= rank(other)
    }

    /// The name in tokens, tables and the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Custom => "custom",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleUnknown;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(RoleUnknown)
    }
}

impl From<Role> for wire::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Custom => Self::Custom,
            Role::Agent => Self::Agent,
            Role::Viewer => Self::Viewer,
        }
    }
}

impl TryFrom<wire::Role> for Role {
    type Error = RoleUnknown;

    fn try_from(role: wire::Role) -> Result<Self, Self::Error> {
        match role {
            wire::Role::Unspecified => Err(RoleUnknown),
            wire::Role::Owner => Ok(Self::Owner),
            wire::Role::Admin => Ok(Self::Admin),
            wire::Role::Custom => Ok(Self::Custom),
            wire::Role::Agent => Ok(Self::Agent),
            wire::Role::Viewer => Ok(Self::Viewer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_from_owner_to_viewer() {
        assert!(Role::Viewer.is_at_most(Role::Agent));
        assert!(Role::Admin.is_at_most(Role::Admin));
        assert!(Role::Admin.is_at_most(Role::Owner));
        assert!(!Role::Owner.is_at_most(Role::Admin));
    }

    #[test]
    fn every_role_survives_its_text_and_its_wire_form() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(Role::try_from(wire::Role::from(role)), Ok(role));
        }
        assert!("Owner".parse::<Role>().is_err());
        assert!(Role::try_from(wire::Role::Unspecified).is_err());
    }
}
