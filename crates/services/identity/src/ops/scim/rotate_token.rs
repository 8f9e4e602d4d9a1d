//! Give a directory a new token.

use auth::RequestContext;
use ids::ScimDirectoryId;
use secrecy::SecretString;

use crate::{
    Error, PeopleError,
    domain::secret::NewSecret,
    ops::{Tools, office::Office},
    store::scim::{
        Source,
        directories::{self, Directory},
    },
};

/// The old one ends with the commit: nothing caches a directory's token.
#[tracing::instrument(skip_all, fields(directory.id = %id))]
pub(crate) async fn rotate_token(
    tools: &Tools,
    caller: &RequestContext,
    id: ScimDirectoryId,
) -> Result<(Directory, SecretString), Error> {
    let secret = NewSecret::directory_token();
    let mut office = Office::open(tools, caller).await?;
    let source = Source {
        organization_id: office.organization_id(),
        directory_id: id,
    };
    let mut directory = directories::lock(&mut office.tx, source)
        .await?
        .ok_or(PeopleError::Unknown("directory"))?;
    directory.token_prefix = secret.prefix;
    directories::replace_token(&mut office.tx, &directory, &secret.hash).await?;
    office
        .record("scim_directory.token_rotated", id, None, None)
        .await?;
    office.commit().await?;
    Ok((directory, secret.secret))
}
