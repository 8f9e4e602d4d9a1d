//! Teams.

use proto::identity::v1 as wire;
use tonic::Request;

use super::{
    Answer, answer,
    convert::{self, id},
};
use crate::ops::{
    Tools,
    teams::{change_team, change_team_members, list_teams},
};

pub(super) async fn create_team(
    tools: &Tools,
    request: Request<wire::CreateTeamRequest>,
) -> Answer<wire::Team> {
    answer!(
        tools,
        request,
        |tools, caller, message| { change_team::create_team(tools, caller, message.name) },
        convert::team
    )
}

pub(super) async fn rename_team(
    tools: &Tools,
    request: Request<wire::RenameTeamRequest>,
) -> Answer<wire::Team> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            change_team::rename_team(tools, caller, id("teamId", &message.team_id)?, message.name)
        },
        convert::team
    )
}

pub(super) async fn delete_team(
    tools: &Tools,
    request: Request<wire::DeleteTeamRequest>,
) -> Answer<wire::DeleteTeamResponse> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            change_team::delete_team(tools, caller, id("teamId", &message.team_id)?)
        },
        |()| wire::DeleteTeamResponse {}
    )
}

pub(super) async fn list_teams(
    tools: &Tools,
    request: Request<wire::ListTeamsRequest>,
) -> Answer<wire::ListTeamsResponse> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            list_teams::list_teams(tools, caller, message.page_size, &message.page_token)
        },
        convert::teams
    )
}

pub(super) async fn add_team_members(
    tools: &Tools,
    request: Request<wire::AddTeamMembersRequest>,
) -> Answer<wire::Team> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let team = id("teamId", &message.team_id)?;
            let users = message.user_ids.iter().map(|user| id("userIds", user));
            change_team_members::add_team_members(
                tools,
                caller,
                team,
                users.collect::<Result<_, _>>()?,
            )
        },
        convert::team
    )
}

pub(super) async fn remove_team_member(
    tools: &Tools,
    request: Request<wire::RemoveTeamMemberRequest>,
) -> Answer<wire::Team> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let team = id("teamId", &message.team_id)?;
            change_team_members::remove_team_member(
                tools,
                caller,
                team,
                id("userId", &message.user_id)?,
            )
        },
        convert::team
    )
}
