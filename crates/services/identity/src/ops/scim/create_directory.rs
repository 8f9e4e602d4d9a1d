//! Connect a directory.

use auth::RequestContext;
use ids::ScimDirectoryId;
use secrecy::SecretString;
use serde_json::json;

use crate::{
    Error,
    domain::secret::NewSecret,
    ops::{Tools, office::Office},
    store::scim::directories::{self, Directory},
};

/// More than any organization has; each is asked for by nobody but its directory.
const MOST: usize = 20;

#[tracing::instrument(skip_all)]
pub(crate) async fn create_directory(
    tools: &Tools,
    caller: &RequestContext,
    name: String,
) -> Result<(Directory, SecretString), Error> {
    let secret = NewSecret::directory_token();
    let mut office = Office::open(tools, caller).await?;
    if directories::list(&mut office.tx).await?.len() >= MOST {
        return Err(Error::TooManyDirectories);
    }
    let now = office.occasion.at;
    let directory = Directory {
        id: ScimDirectoryId::stamped(now),
        name,
        token_prefix: secret.prefix,
        created_at: now,
        last_used_at: None,
    };
    directories::insert(&mut office.tx, &directory, &secret.hash).await?;
    let after = json!({ "name": directory.name });
    office
        .record("scim_directory.created", directory.id, None, Some(after))
        .await?;
    office.commit().await?;
    Ok((directory, secret.secret))
}
