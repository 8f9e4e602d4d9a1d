//! Which role a member or an invitation has.

use auth::Role;
use ids::RoleId;

/// A built-in role, or one of the organization's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assignment {
    /// Never [`Role::Custom`].
    BuiltIn(Role),
    Custom(RoleId),
}

impl Assignment {
    /// `None` unless exactly the custom role comes with an id.
    pub(crate) fn new(role: Role, role_id: Option<RoleId>) -> Option<Self> {
        match (role, role_id) {
            (Role::Custom, Some(id)) => Some(Self::Custom(id)),
            (Role::Custom, None) | (_, Some(_)) => None,
            (role, None) => Some(Self::BuiltIn(role)),
        }
    }

    pub(crate) const fn role(self) -> Role {
        match self {
            Self::BuiltIn(role) => role,
            Self::Custom(_) => Role::Custom,
        }
    }

    pub(crate) const fn role_id(self) -> Option<RoleId> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Custom(id) => Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_custom_role_has_an_id() {
        let id = RoleId::generate();
        for role in Role::ALL {
            let custom = role == Role::Custom;
            assert_eq!(Assignment::new(role, None).is_none(), custom, "{role}");
            assert_eq!(Assignment::new(role, Some(id)).is_some(), custom, "{role}");
        }
        let assignment = Assignment::new(Role::Custom, Some(id)).unwrap();
        assert_eq!(assignment.role(), Role::Custom);
        assert_eq!(assignment.role_id(), Some(id));
    }
}
