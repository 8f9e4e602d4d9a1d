//! Members.

use proto::identity::v1 as wire;
use tonic::Request;

use super::{
    Answer, answer,
    convert::{self, id, optional_id},
};
use crate::ops::{
    Tools,
    members::{change_member_role, list_members, remove_member, set_member_active},
};

pub(super) async fn list_members(
    tools: &Tools,
    request: Request<wire::ListMembersRequest>,
) -> Answer<wire::ListMembersResponse> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let team = optional_id("teamId", &message.team_id)?;
            let (size, token) = (message.page_size, &message.page_token);
            list_members::list_members(tools, caller, team, size, token)
        },
        convert::members
    )
}

pub(super) async fn get_member(
    tools: &Tools,
    request: Request<wire::GetMemberRequest>,
) -> Answer<wire::Member> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            list_members::get_member(tools, caller, id("userId", &message.user_id)?)
        },
        convert::member
    )
}

pub(super) async fn change_member_role(
    tools: &Tools,
    request: Request<wire::ChangeMemberRoleRequest>,
) -> Answer<wire::Member> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let user = id("userId", &message.user_id)?;
            let assignment = convert::assignment(message.role(), &message.role_id)?;
            change_member_role::change_member_role(tools, caller, user, assignment)
        },
        convert::member
    )
}

pub(super) async fn deactivate_member(
    tools: &Tools,
    request: Request<wire::DeactivateMemberRequest>,
) -> Answer<wire::Member> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            set_member_active::set_member_active(
                tools,
                caller,
                id("userId", &message.user_id)?,
                false,
            )
        },
        convert::member
    )
}

pub(super) async fn reactivate_member(
    tools: &Tools,
    request: Request<wire::ReactivateMemberRequest>,
) -> Answer<wire::Member> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            set_member_active::set_member_active(
                tools,
                caller,
                id("userId", &message.user_id)?,
                true,
            )
        },
        convert::member
    )
}

pub(super) async fn remove_member(
    tools: &Tools,
    request: Request<wire::RemoveMemberRequest>,
) -> Answer<wire::RemoveMemberResponse> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            remove_member::remove_member(tools, caller, id("userId", &message.user_id)?)
        },
        |()| wire::RemoveMemberResponse {}
    )
}
