//! The role that pushed groups give.

use auth::Role;

use crate::domain::assignment::Assignment;

/// A role that a group gives to its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) assignment: Assignment,
    /// How many permissions a custom role has: of two of them, the one with more counts.
    pub(crate) permissions: usize,
}

/// Whoever is provisioned and in no group with a role is this, too.
pub(crate) const DEFAULT: Assignment = Assignment::BuiltIn(Role::Agent);

/// The highest of the roles that somebody's groups give.
pub(crate) fn highest(mapped: impl IntoIterator<Item = Mapped>) -> Option<Assignment> {
    let rank = |one: &Mapped| {
        let below = Role::ALL
            .iter()
            .filter(|role| role.is_at_most(one.assignment.role()))
            .count();
        // Two custom roles of one size need an order, too.
        (below, one.permissions, one.assignment.role_id())
    };
    mapped
        .into_iter()
        .max_by_key(rank)
        .map(|one| one.assignment)
}

/// What a member becomes whose groups gave `before` and give `after`; `None` if it stays what it is.
///
/// Owners stay owners. Where groups give nothing any more, a role that came from them ends, and one that somebody gave
/// by hand meanwhile stays.
pub(crate) fn settled(
    current: Assignment,
    before: Option<Assignment>,
    after: Option<Assignment>,
) -> Option<Assignment> {
    if current.role() == Role::Owner || before == after {
        return None;
    }
    let wanted = match after {
        Some(given) => given,
        None if before == Some(current) => DEFAULT,
        None => return None,
    };
    (wanted != current).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use ids::RoleId;
    use proptest::prelude::*;

    use super::*;

    const OWNER: Assignment = Assignment::BuiltIn(Role::Owner);
    const ADMIN: Assignment = Assignment::BuiltIn(Role::Admin);
    const AGENT: Assignment = Assignment::BuiltIn(Role::Agent);
    const VIEWER: Assignment = Assignment::BuiltIn(Role::Viewer);

    fn mapped(assignment: Assignment, permissions: usize) -> Mapped {
        Mapped {
            assignment,
            permissions,
        }
    }

    #[test]
    fn the_highest_role_counts_and_of_custom_ones_the_larger() {
        let (small, large) = (RoleId::generate(), RoleId::generate());
        let small = mapped(Assignment::Custom(small), 1);
        let large = mapped(Assignment::Custom(large), 2);
        let built_in = |assignment| mapped(assignment, 0);
        assert_eq!(highest([]), None);
        assert_eq!(highest([built_in(VIEWER), built_in(AGENT)]), Some(AGENT));
        assert_eq!(highest([built_in(AGENT), small]), Some(small.assignment));
        assert_eq!(highest([large, small]), Some(large.assignment));
        assert_eq!(highest([large, built_in(ADMIN)]), Some(ADMIN));
    }

    #[test]
    fn a_member_gets_what_the_groups_give_and_loses_it_with_them() {
        assert_eq!(settled(AGENT, None, Some(ADMIN)), Some(ADMIN));
        assert_eq!(settled(ADMIN, Some(ADMIN), Some(VIEWER)), Some(VIEWER));
        assert_eq!(settled(ADMIN, Some(ADMIN), None), Some(AGENT));
        assert_eq!(settled(AGENT, None, Some(AGENT)), None);
    }

    #[test]
    fn a_role_that_was_given_by_hand_stays_when_the_groups_give_none() {
        assert_eq!(settled(ADMIN, Some(VIEWER), None), None);
        assert_eq!(settled(VIEWER, None, None), None);
    }

    fn assignments() -> impl Strategy<Value = Assignment> {
        proptest::sample::select(vec![OWNER, ADMIN, AGENT, VIEWER])
    }

    proptest! {
        #[test]
        fn owners_stay_and_nothing_changes_twice(
            current in assignments(),
            before in proptest::option::of(assignments()),
            after in proptest::option::of(assignments()),
        ) {
            prop_assert_eq!(settled(OWNER, before, after), None);
            if let Some(new) = settled(current, before, after) {
                prop_assert_ne!(new, current);
                prop_assert_eq!(settled(new, after, after), None);
            }
        }
    }
}
