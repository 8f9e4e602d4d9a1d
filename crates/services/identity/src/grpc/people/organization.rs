//! The organization itself.

use proto::identity::v1 as wire;
use tonic::Request;

use super::{Answer, answer, convert};
use crate::ops::{
    Tools,
    organization::{
        cancel_deletion, delete_organization, get_organization, suspend_organization,
        update_organization,
    },
};

pub(super) async fn get_organization(
    tools: &Tools,
    request: Request<wire::GetOrganizationRequest>,
) -> Answer<wire::OrganizationDetails> {
    answer!(
        tools,
        request,
        |tools, caller, _message| { get_organization::get_organization(tools, caller) },
        convert::organization
    )
}

pub(super) async fn update_organization(
    tools: &Tools,
    request: Request<wire::UpdateOrganizationRequest>,
) -> Answer<wire::OrganizationDetails> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            update_organization::update_organization(tools, caller, convert::new_settings(message)?)
        },
        convert::organization
    )
}

pub(super) async fn delete_organization(
    tools: &Tools,
    request: Request<wire::DeleteOrganizationRequest>,
) -> Answer<wire::OrganizationDetails> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            delete_organization::delete_organization(tools, caller, &message.confirmation)
        },
        convert::organization
    )
}

pub(super) async fn cancel_organization_deletion(
    tools: &Tools,
    request: Request<wire::CancelOrganizationDeletionRequest>,
) -> Answer<wire::OrganizationDetails> {
    answer!(
        tools,
        request,
        |tools, caller, _message| { cancel_deletion::cancel_deletion(tools, caller) },
        convert::organization
    )
}

pub(super) async fn suspend_organization(
    tools: &Tools,
    request: Request<wire::SuspendOrganizationRequest>,
) -> Answer<wire::OrganizationDetails> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            suspend_organization::suspend_organization(tools, caller, message.reason)
        },
        convert::organization
    )
}

pub(super) async fn resume_organization(
    tools: &Tools,
    request: Request<wire::ResumeOrganizationRequest>,
) -> Answer<wire::OrganizationDetails> {
    answer!(
        tools,
        request,
        |tools, caller, _message| { suspend_organization::resume_organization(tools, caller) },
        convert::organization
    )
}
