//! Replace what a role says.

use auth::RequestContext;
use ids::RoleId;

use super::{Draft, draft::told};
use crate::{
    Error, PeopleError,
    ops::{Tools, office::Office},
    store::roles::{self, CustomRole},
};

/// What the role was and what it becomes are both at most what the caller may do.
#[tracing::instrument(skip_all, fields(role.id = %id))]
pub(crate) async fn update_role(
    tools: &Tools,
    caller: &RequestContext,
    id: RoleId,
    draft: Draft,
) -> Result<CustomRole, Error> {
    let mut office = Office::open(tools, caller).await?;
    let organization_id = office.organization_id();
    let before = roles::find(&mut office.tx, organization_id, id)
        .await?
        .ok_or(PeopleError::Unknown("role"))?;
    office.refuse_more_power(&before.membership(organization_id))?;
    let role = draft.check(&tools.policy, &office, id, before.created_at)?;
    if role != before {
        let now = office.occasion.at;
        roles::update(&mut office.tx, &role, now).await?;
        let members = roles::list_members(&mut office.tx, id).await?;
        office.void(&members).await?;
        office
            .record("role.updated", id, Some(told(&before)), Some(told(&role)))
            .await?;
    }
    office.commit().await?;
    Ok(role)
}
