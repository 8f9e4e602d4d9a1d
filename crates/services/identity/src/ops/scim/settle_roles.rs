//! What a change of groups makes of their members.

use std::collections::HashMap;

use db::AsTx;
use ids::UserId;

use crate::{
    Error,
    domain::{assignment::Assignment, scim::settled},
    ops::{members::change_member_role::assign, office::Office},
    store::{roster, scim::group_members},
};

/// Gives `users` the roles that follow from their groups now; `before` is what these gave before the change.
pub(super) async fn settle<T: AsTx>(
    office: &mut Office<'_, T>,
    users: &[UserId],
    before: &HashMap<UserId, Assignment>,
) -> Result<(), Error> {
    let organization_id = office.organization_id();
    let after = group_members::given_roles(&mut office.tx, organization_id, users).await?;
    for user in users {
        let (was, is) = (before.get(user).copied(), after.get(user).copied());
        if was == is {
            continue;
        }
        let Some(mut entry) = roster::find(&mut office.tx, organization_id, *user).await? else {
            continue;
        };
        if let Some(assignment) = settled(entry.assignment, was, is) {
            assign(office, &mut entry, assignment).await?;
        }
    }
    Ok(())
}
