//! Give a member another role.

use auth::{RequestContext, Role};
use db::AsTx;
use ids::UserId;
use serde_json::{Value, json};

use super::{Profile, with_name};
use crate::{
    Error,
    domain::assignment::Assignment,
    events,
    ops::{Tools, office::Office},
    store::roster::{self, Entry},
};

/// The member's present role and the new one are both at most the caller's.
#[tracing::instrument(skip_all, fields(user.id = %id))]
pub(crate) async fn change_member_role(
    tools: &Tools,
    caller: &RequestContext,
    id: UserId,
    assignment: Assignment,
) -> Result<Profile, Error> {
    let mut office = Office::open(tools, caller).await?;
    let (mut entry, _) = office.member(id).await?;
    let granted = office.power_of(assignment).await?;
    office.refuse_more_power(&granted)?;
    assign(&mut office, &mut entry, assignment).await?;
    office.commit().await?;
    with_name(tools, entry).await
}

/// The rule itself, for whoever may change the member. One that has the role already stays as it is.
pub(crate) async fn assign<T: AsTx>(
    office: &mut Office<'_, T>,
    entry: &mut Entry,
    assignment: Assignment,
) -> Result<(), Error> {
    if entry.assignment == assignment {
        return Ok(());
    }
    let id = entry.user_id;
    if assignment.role() != Role::Owner {
        office.keep_an_owner(id).await?;
    }
    let before = std::mem::replace(&mut entry.assignment, assignment);
    let organization_id = office.organization_id();
    roster::update(&mut office.tx, organization_id, entry).await?;
    office.void(&[id]).await?;
    let (role, active) = (assignment.role(), entry.active);
    events::member_changed(&mut office.tx, &office.occasion, id, role, active).await?;
    let (before, after) = (told(before), told(assignment));
    office
        .record("member.role_changed", id, Some(before), Some(after))
        .await
}

fn told(assignment: Assignment) -> Value {
    let role_id = assignment.role_id().map(|id| id.to_string());
    json!({ "role": assignment.role(), "role_id": role_id })
}
