//! Delete a role that nobody has.

use auth::RequestContext;
use ids::RoleId;

use super::draft::told;
use crate::{
    Error, PeopleError,
    ops::{Tools, office::Office},
    store::roles,
};

#[tracing::instrument(skip_all, fields(role.id = %id))]
pub(crate) async fn delete_role(
    tools: &Tools,
    caller: &RequestContext,
    id: RoleId,
) -> Result<(), Error> {
    let mut office = Office::open(tools, caller).await?;
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    let role = roles::find(&mut office.tx, organization_id, id)
        .await?
        .ok_or(PeopleError::Unknown("role"))?;
    if roles::is_used(&mut office.tx, id, now).await? {
        return Err(PeopleError::RoleInUse.into());
    }
    roles::delete(&mut office.tx, id).await?;
    office
        .record("role.deleted", id, Some(told(&role)), None)
        .await?;
    office.commit().await
}
