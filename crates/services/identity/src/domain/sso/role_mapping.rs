//! Groups of a provider and the roles they give.

use auth::Role;
use ids::RoleId;
use serde::{Deserialize, Serialize};

use crate::domain::assignment::Assignment;

/// People of the group get the role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct RoleMapping {
    group: String,
    assignment: Assignment,
}

/// As in the table.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    group: String,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role_id: Option<RoleId>,
}

/// Not a role that a provider may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no provider gives this role")]
pub(crate) struct NotToBeGiven;

impl RoleMapping {
    /// Whatever a provider says, it makes nobody an owner.
    pub(crate) fn new(group: String, assignment: Assignment) -> Result<Self, NotToBeGiven> {
        if assignment.role() == Role::Owner {
            return Err(NotToBeGiven);
        }
        Ok(Self { group, assignment })
    }

    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    pub(crate) const fn assignment(&self) -> Assignment {
        self.assignment
    }
}

impl TryFrom<Stored> for RoleMapping {
    type Error = NotToBeGiven;

    fn try_from(stored: Stored) -> Result<Self, NotToBeGiven> {
        let assignment = Assignment::new(stored.role, stored.role_id).ok_or(NotToBeGiven)?;
        Self::new(stored.group, assignment)
    }
}

impl From<RoleMapping> for Stored {
    fn from(mapping: RoleMapping) -> Self {
        Self {
            role: mapping.assignment.role(),
            role_id: mapping.assignment.role_id(),
            group: mapping.group,
        }
    }
}

/// The role of the first mapping whose group the person is in, to the letter.
pub(crate) fn mapped(mappings: &[RoleMapping], groups: &[String]) -> Option<Assignment> {
    mappings
        .iter()
        .find(|mapping| groups.contains(&mapping.group))
        .map(RoleMapping::assignment)
}

/// What a member becomes whose groups gave `before` at the last login and give `now`; `None` if it stays what it is.
///
/// Owners stay owners: no provider decides about them. What the groups give counts at each login, whatever happened
/// meanwhile. Where they give nothing any more, a role that came from them ends, and one that was given by hand stays.
pub(crate) fn followed(
    current: Assignment,
    before: Option<Assignment>,
    now: Option<Assignment>,
    default: Assignment,
) -> Option<Assignment> {
    if current.role() == Role::Owner {
        return None;
    }
    let wanted = match now {
        Some(given) => given,
        None if before == Some(current) => default,
        None => return None,
    };
    (wanted != current).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(group: &str, role: Role) -> RoleMapping {
        RoleMapping::new(group.to_owned(), Assignment::BuiltIn(role)).unwrap()
    }

    #[test]
    fn the_first_mapping_that_fits_decides() {
        let mappings = [
            mapping("admins", Role::Admin),
            mapping("staff", Role::Viewer),
        ];
        let of = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
            mapped(&mappings, &groups).map(Assignment::role)
        };
        assert_eq!(of(&["staff", "admins"]), Some(Role::Admin));
        assert_eq!(of(&["staff"]), Some(Role::Viewer));
        for none in [&[][..], &["Admins"], &["owner"], &["admin"]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_role_ends_with_the_groups_that_gave_it() {
        let [owner, admin, agent, viewer] =
            [Role::Owner, Role::Admin, Role::Agent, Role::Viewer].map(Assignment::BuiltIn);
        for (current, before, now, expected) in [
            (viewer, None, Some(admin), Some(admin)),
            (admin, Some(admin), Some(agent), Some(agent)),
            (admin, Some(admin), Some(admin), None),
            (admin, Some(admin), None, Some(viewer)),
            // By hand, before or after the groups gave another one.
            (admin, None, None, None),
            (admin, Some(agent), None, None),
            (viewer, Some(viewer), None, None),
            (owner, Some(owner), None, None),
            (owner, Some(admin), Some(agent), None),
        ] {
            assert_eq!(followed(current, before, now, viewer), expected);
        }
    }

    #[test]
    fn no_provider_makes_an_owner_not_even_from_a_changed_table() {
        let owner = Assignment::BuiltIn(Role::Owner);
        assert_eq!(
            RoleMapping::new("owners".to_owned(), owner),
            Err(NotToBeGiven)
        );
        for json in [
            r#"{"group": "owners", "role": "owner"}"#,
            r#"{"group": "odd", "role": "custom"}"#,
        ] {
            assert!(serde_json::from_str::<RoleMapping>(json).is_err(), "{json}");
        }
        let custom = Assignment::Custom(RoleId::generate());
        for mapping in [
            mapping("staff", Role::Agent),
            RoleMapping::new("sales".to_owned(), custom).unwrap(),
        ] {
            let json = serde_json::to_value(&mapping).unwrap();
            assert_eq!(
                serde_json::from_value::<RoleMapping>(json).unwrap(),
                mapping
            );
        }
    }
}
