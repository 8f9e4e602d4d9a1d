//! Put members into a team, or take one out.

use auth::RequestContext;
use ids::{TeamId, UserId};
use serde_json::json;

use super::change_team::{find, tell};
use crate::{
    Error, PeopleError,
    ops::{Tools, office::Office},
    store::teams::{self, Team},
};

#[tracing::instrument(skip_all, fields(team.id = %id))]
pub(crate) async fn add_team_members(
    tools: &Tools,
    caller: &RequestContext,
    id: TeamId,
    mut users: Vec<UserId>,
) -> Result<Team, Error> {
    users.sort_unstable();
    users.dedup();
    let mut office = Office::open(tools, caller).await?;
    find(&mut office, id).await?;
    office.refuse_other_teams(id)?;
    for user in &users {
        office.member(*user).await?;
    }
    let added = teams::add(&mut office.tx, id, &users).await?;
    if !added.is_empty() {
        if teams::is_one_in_too_many(&mut office.tx, &added).await? {
            return Err(PeopleError::TooManyTeams.into());
        }
        office.void(&added).await?;
        let names: Vec<String> = added.iter().map(UserId::to_string).collect();
        let after = json!({ "added": names });
        office
            .record("team.members_added", id, None, Some(after))
            .await?;
    }
    let team = find(&mut office, id).await?;
    if !added.is_empty() {
        tell(&mut office, &team).await?;
    }
    office.commit().await?;
    Ok(team)
}

/// Whoever is not in it, stays out of it.
#[tracing::instrument(skip_all, fields(team.id = %id, user.id = %user))]
pub(crate) async fn remove_team_member(
    tools: &Tools,
    caller: &RequestContext,
    id: TeamId,
    user: UserId,
) -> Result<Team, Error> {
    let mut office = Office::open(tools, caller).await?;
    find(&mut office, id).await?;
    office.refuse_other_teams(id)?;
    office.member(user).await?;
    let taken_out = teams::take_out(&mut office.tx, id, user).await?;
    if taken_out {
        office.void(&[user]).await?;
        let before = json!({ "removed": user.to_string() });
        office
            .record("team.member_removed", id, Some(before), None)
            .await?;
    }
    let team = find(&mut office, id).await?;
    if taken_out {
        tell(&mut office, &team).await?;
    }
    office.commit().await?;
    Ok(team)
}
