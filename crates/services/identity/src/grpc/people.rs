//! Members, roles, teams, invitations and the organization over gRPC: each group of methods has a file.

mod convert;
mod invitations;
mod members;
mod organization;
mod roles;
mod teams;

use proto::identity::v1::{self as wire, people_service_server::PeopleService};
use tonic::{Request, Response, Status};

use crate::ops::Tools;

pub(super) use convert::custom_role;

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct People {
    pub(crate) tools: Tools,
}

/// Reads the request, calls the operation with `tools` and the caller, and encodes what it answers.
macro_rules! answer {
    ($with:ident, $request:ident, |$tools:ident, $caller:ident, $message:ident| $operation:expr, $encode:expr) => {{
        let caller: auth::RequestContext = auth::context(&$request)?.clone();
        let ($tools, $caller, $message) = ($with, &caller, $request.into_inner());
        let done: Result<_, crate::Error> = async { $operation.await }.await;
        match done {
            Ok(value) => Ok(tonic::Response::new($encode(value))),
            Err(error) => Err(errors::to_status(&error)),
        }
    }};
}
use answer;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PeopleService for People {
    async fn list_members(
        &self,
        request: Request<wire::ListMembersRequest>,
    ) -> Answer<wire::ListMembersResponse> {
        members::list_members(&self.tools, request).await
    }

    async fn get_member(&self, request: Request<wire::GetMemberRequest>) -> Answer<wire::Member> {
        members::get_member(&self.tools, request).await
    }

    async fn change_member_role(
        &self,
        request: Request<wire::ChangeMemberRoleRequest>,
    ) -> Answer<wire::Member> {
        members::change_member_role(&self.tools, request).await
    }

    async fn deactivate_member(
        &self,
        request: Request<wire::DeactivateMemberRequest>,
    ) -> Answer<wire::Member> {
        members::deactivate_member(&self.tools, request).await
    }

    async fn reactivate_member(
        &self,
        request: Request<wire::ReactivateMemberRequest>,
    ) -> Answer<wire::Member> {
        members::reactivate_member(&self.tools, request).await
    }

    async fn remove_member(
        &self,
        request: Request<wire::RemoveMemberRequest>,
    ) -> Answer<wire::RemoveMemberResponse> {
        members::remove_member(&self.tools, request).await
    }

    async fn create_role(
        &self,
        request: Request<wire::CreateRoleRequest>,
    ) -> Answer<wire::RoleInfo> {
        roles::create_role(&self.tools, request).await
    }

    async fn update_role(
        &self,
        request: Request<wire::UpdateRoleRequest>,
    ) -> Answer<wire::RoleInfo> {
        roles::update_role(&self.tools, request).await
    }

    async fn delete_role(
        &self,
        request: Request<wire::DeleteRoleRequest>,
    ) -> Answer<wire::DeleteRoleResponse> {
        roles::delete_role(&self.tools, request).await
    }

    async fn create_team(&self, request: Request<wire::CreateTeamRequest>) -> Answer<wire::Team> {
        teams::create_team(&self.tools, request).await
    }

    async fn rename_team(&self, request: Request<wire::RenameTeamRequest>) -> Answer<wire::Team> {
        teams::rename_team(&self.tools, request).await
    }

    async fn delete_team(
        &self,
        request: Request<wire::DeleteTeamRequest>,
    ) -> Answer<wire::DeleteTeamResponse> {
        teams::delete_team(&self.tools, request).await
    }

    async fn list_teams(
        &self,
        request: Request<wire::ListTeamsRequest>,
    ) -> Answer<wire::ListTeamsResponse> {
        teams::list_teams(&self.tools, request).await
    }

    async fn add_team_members(
        &self,
        request: Request<wire::AddTeamMembersRequest>,
    ) -> Answer<wire::Team> {
        teams::add_team_members(&self.tools, request).await
    }

    async fn remove_team_member(
        &self,
        request: Request<wire::RemoveTeamMemberRequest>,
    ) -> Answer<wire::Team> {
        teams::remove_team_member(&self.tools, request).await
    }

    async fn invite(&self, request: Request<wire::InviteRequest>) -> Answer<wire::Invitation> {
        invitations::invite(&self.tools, request).await
    }

    async fn list_invitations(
        &self,
        request: Request<wire::ListInvitationsRequest>,
    ) -> Answer<wire::ListInvitationsResponse> {
        invitations::list_invitations(&self.tools, request).await
    }

    async fn resend_invitation(
        &self,
        request: Request<wire::ResendInvitationRequest>,
    ) -> Answer<wire::Invitation> {
        invitations::resend_invitation(&self.tools, request).await
    }

    async fn revoke_invitation(
        &self,
        request: Request<wire::RevokeInvitationRequest>,
    ) -> Answer<wire::Invitation> {
        invitations::revoke_invitation(&self.tools, request).await
    }

    async fn get_invitation(
        &self,
        request: Request<wire::GetInvitationRequest>,
    ) -> Answer<wire::InvitationPreview> {
        invitations::get_invitation(&self.tools, request).await
    }

    async fn join_organization(
        &self,
        request: Request<wire::JoinOrganizationRequest>,
    ) -> Answer<wire::JoinedOrganization> {
        invitations::join_organization(&self.tools, request).await
    }

    async fn accept_invitation(
        &self,
        request: Request<wire::AcceptInvitationRequest>,
    ) -> Answer<wire::JoinedOrganization> {
        invitations::accept_invitation(&self.tools, request).await
    }

    async fn get_organization(
        &self,
        request: Request<wire::GetOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        organization::get_organization(&self.tools, request).await
    }

    async fn update_organization(
        &self,
        request: Request<wire::UpdateOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        organization::update_organization(&self.tools, request).await
    }

    async fn delete_organization(
        &self,
        request: Request<wire::DeleteOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        organization::delete_organization(&self.tools, request).await
    }

    async fn cancel_organization_deletion(
        &self,
        request: Request<wire::CancelOrganizationDeletionRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        organization::cancel_organization_deletion(&self.tools, request).await
    }

    async fn suspend_organization(
        &self,
        request: Request<wire::SuspendOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        organization::suspend_organization(&self.tools, request).await
    }

    async fn resume_organization(
        &self,
        request: Request<wire::ResumeOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        organization::resume_organization(&self.tools, request).await
    }
}
