//! Create, rename or delete a team.

use auth::RequestContext;
use ids::TeamId;
use serde_json::{Value, json};

use crate::{
    Error, PeopleError, events,
    ops::{Tools, office::Office},
    store::teams::{self, Team},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn create_team(
    tools: &Tools,
    caller: &RequestContext,
    name: String,
) -> Result<Team, Error> {
    let mut office = Office::open(tools, caller).await?;
    let team = Team {
        id: TeamId::stamped(office.occasion.at),
        name,
        member_count: 0,
        created_at: office.occasion.at,
    };
    teams::insert(&mut office.tx, &team).await?;
    tell(&mut office, &team).await?;
    office
        .record("team.created", team.id, None, Some(told(&team)))
        .await?;
    office.commit().await?;
    Ok(team)
}

#[tracing::instrument(skip_all, fields(team.id = %id))]
pub(crate) async fn rename_team(
    tools: &Tools,
    caller: &RequestContext,
    id: TeamId,
    name: String,
) -> Result<Team, Error> {
    let mut office = Office::open(tools, caller).await?;
    let mut team = find(&mut office, id).await?;
    if team.name != name {
        teams::rename(&mut office.tx, id, &name).await?;
        let before = told(&team);
        team.name = name;
        tell(&mut office, &team).await?;
        office
            .record("team.renamed", id, Some(before), Some(told(&team)))
            .await?;
    }
    office.commit().await?;
    Ok(team)
}

/// Its members see less from now on.
#[tracing::instrument(skip_all, fields(team.id = %id))]
pub(crate) async fn delete_team(
    tools: &Tools,
    caller: &RequestContext,
    id: TeamId,
) -> Result<(), Error> {
    let mut office = Office::open(tools, caller).await?;
    let team = find(&mut office, id).await?;
    let members = teams::delete(&mut office.tx, id).await?;
    office.void(&members).await?;
    events::team_deleted(&mut office.tx, &office.occasion, id).await?;
    office
        .record("team.deleted", id, Some(told(&team)), None)
        .await?;
    office.commit().await
}

pub(super) async fn find(office: &mut Office<'_>, id: TeamId) -> Result<Team, Error> {
    let team = teams::find(&mut office.tx, id).await?;
    team.ok_or_else(|| PeopleError::Unknown("team").into())
}

/// Others learn what the team is now.
pub(super) async fn tell(office: &mut Office<'_>, team: &Team) -> Result<(), Error> {
    let members = teams::members(&mut office.tx, team.id).await?;
    events::team_changed(
        &mut office.tx,
        &office.occasion,
        team.id,
        &team.name,
        &members,
    )
    .await?;
    Ok(())
}

fn told(team: &Team) -> Value {
    json!({ "name": team.name })
}
