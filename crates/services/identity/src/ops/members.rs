//! Members of the organization.

pub(crate) mod change_member_role;
pub(crate) mod list_members;
pub(crate) mod remove_member;
pub(crate) mod set_member_active;

use db::SystemTx;
use ids::UserId;

use super::Tools;
use crate::{
    Error, PeopleError,
    store::{people, roster::Entry, users::User},
};

/// A member with its name and address.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) entry: Entry,
    pub(crate) user: User,
}

/// Adds names and addresses, which no tenant's transaction sees. Whoever is gone by now is left out.
async fn with_names(tools: &Tools, entries: Vec<Entry>) -> Result<Vec<Profile>, Error> {
    let ids: Vec<UserId> = entries.iter().map(|entry| entry.user_id).collect();
    let mut tx = SystemTx::begin(&tools.db, "names of members").await?;
    let mut users = people::list(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| {
            let user = users.remove(&entry.user_id)?;
            Some(Profile { entry, user })
        })
        .collect())
}

async fn with_name(tools: &Tools, entry: Entry) -> Result<Profile, Error> {
    let named = with_names(tools, vec![entry]).await?.pop();
    named.ok_or_else(|| PeopleError::Unknown("member").into())
}
