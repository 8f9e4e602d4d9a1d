//! Say which role the members of a pushed group have.

use auth::{RequestContext, Role};
use ids::{ScimDirectoryId, ScimGroupId};
use serde_json::{Value, json};

use super::settle_roles::settle;
use crate::{
    Error, PeopleError,
    domain::assignment::Assignment,
    ops::{Tools, office::Office},
    store::scim::{
        Source, group_members,
        groups::{self, ManagedGroup},
    },
};

/// `None`: none any more. The old role and the new one are both at most the caller's.
#[tracing::instrument(skip_all, fields(directory.id = %directory_id, group.id = %id))]
pub(crate) async fn set_group_role(
    tools: &Tools,
    caller: &RequestContext,
    directory_id: ScimDirectoryId,
    id: ScimGroupId,
    gives: Option<Assignment>,
) -> Result<ManagedGroup, Error> {
    if gives.is_some_and(|gives| gives.role() == Role::Owner) {
        return Err(Error::Field {
            field: "role",
            problem: "cannot be given by a group",
        });
    }
    let mut office = Office::open(tools, caller).await?;
    let organization_id = office.organization_id();
    let source = Source {
        organization_id,
        directory_id,
    };
    let mut group = groups::find_managed(&mut office.tx, source, id)
        .await?
        .ok_or(PeopleError::Unknown("group"))?;
    for assignment in [gives, group.gives].into_iter().flatten() {
        let power = office.power_of(assignment).await?;
        office.refuse_more_power(&power)?;
    }
    if group.gives != gives {
        let members = group_members::ids(&mut office.tx, source, id).await?;
        let before = group_members::given_roles(&mut office.tx, organization_id, &members).await?;
        groups::set_role(&mut office.tx, source, id, gives).await?;
        let (was, is) = (told(group.gives), told(gives));
        office
            .record("scim_group.role_changed", id, was, is)
            .await?;
        settle(&mut office, &members, &before).await?;
        group.gives = gives;
    }
    office.commit().await?;
    Ok(group)
}

fn told(gives: Option<Assignment>) -> Option<Value> {
    let gives = gives?;
    let role_id = gives.role_id().map(|id| id.to_string());
    Some(json!({ "role": gives.role(), "role_id": role_id }))
}
