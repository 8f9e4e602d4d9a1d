//! Create a role.

use auth::RequestContext;
use ids::RoleId;

use super::{Draft, draft::told};
use crate::{
    Error,
    ops::{Tools, office::Office},
    store::roles::{self, CustomRole},
};

/// Roles of one organization at most: the list of roles has no pages.
const MOST: i64 = 100;

#[tracing::instrument(skip_all)]
pub(crate) async fn create_role(
    tools: &Tools,
    caller: &RequestContext,
    draft: Draft,
) -> Result<CustomRole, Error> {
    let mut office = Office::open(tools, caller).await?;
    let now = office.occasion.at;
    let role = draft.check(&tools.policy, &office, RoleId::stamped(now), now)?;
    if roles::count(&mut office.tx).await? >= MOST {
        return Err(Error::Field {
            field: "name",
            problem: "would be the 101st role; an organization has at most 100",
        });
    }
    roles::insert(&mut office.tx, &role).await?;
    office
        .record("role.created", role.id, None, Some(told(&role)))
        .await?;
    office.commit().await?;
    Ok(role)
}
