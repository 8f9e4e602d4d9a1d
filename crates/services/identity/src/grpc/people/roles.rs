//! Roles.

use proto::identity::v1 as wire;
use tonic::Request;

use super::{
    Answer, answer,
    convert::{self, id},
};
use crate::ops::{
    Tools,
    roles::{create_role, delete_role, update_role},
};

pub(super) async fn create_role(
    tools: &Tools,
    request: Request<wire::CreateRoleRequest>,
) -> Answer<wire::RoleInfo> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            create_role::create_role(tools, caller, convert::new_role(message)?)
        },
        convert::custom_role
    )
}

pub(super) async fn update_role(
    tools: &Tools,
    request: Request<wire::UpdateRoleRequest>,
) -> Answer<wire::RoleInfo> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let role = id("roleId", &message.role_id)?;
            update_role::update_role(tools, caller, role, convert::changed_role(message)?)
        },
        convert::custom_role
    )
}

pub(super) async fn delete_role(
    tools: &Tools,
    request: Request<wire::DeleteRoleRequest>,
) -> Answer<wire::DeleteRoleResponse> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            delete_role::delete_role(tools, caller, id("roleId", &message.role_id)?)
        },
        |()| wire::DeleteRoleResponse {}
    )
}
