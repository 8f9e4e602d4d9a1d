//! Who may do more than whom.

use auth::{Conversations, Membership, Policy, Scopes, View};

/// Whether `holder` may do and see everything that `granted` may. Nobody gives, changes or takes away a right that he
/// does not have.
///
/// The role is compared besides its permissions, because roles gain permissions over time.
pub(crate) fn covers(policy: &Policy, holder: &Membership, granted: &Membership) -> bool {
    granted.role.is_at_most(holder.role)
        && covers_permissions(policy, holder, granted)
        && covers_view(&holder.view, &granted.view)
}

fn covers_permissions(policy: &Policy, holder: &Membership, granted: &Membership) -> bool {
    match &holder.scopes {
        // All of a role that is at least the granted one.
        Scopes::All => true,
        Scopes::Only(held) => policy
            .of_role(granted.role)
            .filter(|permission| granted.scopes.include(permission))
            .all(|permission| held.contains(permission)),
    }
}

fn covers_view(holder: &View, granted: &View) -> bool {
    width(granted.conversations) <= width(holder.conversations)
        && (granted.hides_contact_details || !holder.hides_contact_details)
}

const fn width(conversations: Conversations) -> u8 {
    match conversations {
        Conversations::Own => 0,
        Conversations::Team => 1,
        Conversations::All => 2,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use auth::Role;
    use ids::OrganizationId;
    use proptest::prelude::*;

    use super::*;

    fn of(role: Role, scopes: Scopes, view: View) -> Membership {
        Membership {
            organization_id: OrganizationId::PLATFORM,
            role,
            scopes,
            view,
        }
    }

    fn plain(role: Role) -> Membership {
        of(role, Scopes::All, View::default())
    }

    fn custom(permissions: &[&str], view: View) -> Membership {
        let permissions = permissions.iter().map(|&one| one.to_owned()).collect();
        of(Role::Custom, Scopes::Only(permissions), view)
    }

    fn narrow(conversations: Conversations, hides_contact_details: bool) -> View {
        View {
            conversations,
            hides_contact_details,
            teams: Vec::new(),
        }
    }

    #[tokio::test]
    async fn built_in_roles_cover_what_stands_below_them() {
        let policy = Policy::load().await.unwrap();
        let plain = |role| plain(role);
        assert!(covers(&policy, &plain(Role::Owner), &plain(Role::Owner)));
        assert!(covers(&policy, &plain(Role::Admin), &plain(Role::Agent)));
        assert!(!covers(&policy, &plain(Role::Admin), &plain(Role::Owner)));
        assert!(!covers(&policy, &plain(Role::Agent), &plain(Role::Admin)));
    }

    #[tokio::test]
    async fn a_custom_role_covers_only_what_it_has() {
        let policy = Policy::load().await.unwrap();
        let manager = custom(&["members.manage", "members.read"], View::default());
        assert!(covers(
            &policy,
            &manager,
            &custom(&["members.read"], View::default())
        ));
        assert!(!covers(
            &policy,
            &manager,
            &custom(&["roles.manage"], View::default())
        ));
        // It stands above agents and may not do what they do.
        assert!(!covers(&policy, &manager, &plain(Role::Agent)));
    }

    #[tokio::test]
    async fn whoever_sees_less_gives_nobody_more_to_see() {
        let policy = Policy::load().await.unwrap();
        let team = custom(&["members.read"], narrow(Conversations::Team, true));
        for (view, covered) in [
            (narrow(Conversations::Own, true), true),
            (narrow(Conversations::Team, true), true),
            (narrow(Conversations::All, true), false),
            (narrow(Conversations::Own, false), false),
        ] {
            let granted = custom(&["members.read"], view.clone());
            assert_eq!(covers(&policy, &team, &granted), covered, "{view:?}");
        }
    }

    fn memberships() -> impl Strategy<Value = Membership> {
        let permissions = [
            "members.read",
            "members.manage",
            "messages.send",
            "channels.manage",
        ];
        let scopes = prop_oneof![
            Just(Scopes::All),
            proptest::sample::subsequence(permissions.to_vec(), 0..=4).prop_map(|some| {
                Scopes::Only(some.into_iter().map(str::to_owned).collect::<BTreeSet<_>>())
            }),
        ];
        let conversations = proptest::sample::select(vec![
            Conversations::Own,
            Conversations::Team,
            Conversations::All,
        ]);
        let roles = proptest::sample::select(Role::ALL.to_vec());
        (roles, scopes, conversations, any::<bool>()).prop_map(
            |(role, scopes, conversations, hides)| of(role, scopes, narrow(conversations, hides)),
        )
    }

    proptest! {
        /// So a chain of grants never ends with more than it began with.
        #[test]
        fn what_is_given_on_stays_covered(a in memberships(), b in memberships(), c in memberships()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let policy = runtime.block_on(Policy::load()).unwrap();
            prop_assert!(covers(&policy, &a, &a));
            if covers(&policy, &a, &b) && covers(&policy, &b, &c) {
                prop_assert!(covers(&policy, &a, &c));
            }
        }
    }
}
