//! Disconnect a directory.

use auth::RequestContext;
use ids::ScimDirectoryId;
use serde_json::json;

use crate::{
    Error, PeopleError,
    ops::{Tools, office::Office},
    store::scim::{Source, directories},
};

/// Its people stay members, with the roles they have.
#[tracing::instrument(skip_all, fields(directory.id = %id))]
pub(crate) async fn delete_directory(
    tools: &Tools,
    caller: &RequestContext,
    id: ScimDirectoryId,
) -> Result<(), Error> {
    let mut office = Office::open(tools, caller).await?;
    let source = Source {
        organization_id: office.organization_id(),
        directory_id: id,
    };
    let directory = directories::lock(&mut office.tx, source)
        .await?
        .ok_or(PeopleError::Unknown("directory"))?;
    let now = office.occasion.at;
    directories::revoke(&mut office.tx, id, now).await?;
    let before = json!({ "name": directory.name });
    office
        .record("scim_directory.deleted", id, Some(before), None)
        .await?;
    office.commit().await
}
