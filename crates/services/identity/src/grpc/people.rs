//! Members, roles, teams, invitations and the organization over gRPC.

mod convert;

use auth::RequestContext;
use errors::to_status;
use proto::identity::v1::{self as wire, people_service_server::PeopleService};
use secrecy::SecretString;
use tonic::{Request, Response, Status};

use self::convert::id;
use crate::{
    Error,
    ops::{
        Tools,
        invitations::{
            accept_invitation::{accept_invitation, join_organization},
            get_invitation::get_invitation,
            invite::invite,
            list_invitations::list_invitations,
            resend_invitation::resend_invitation,
            revoke_invitation::revoke_invitation,
        },
        members::{
            change_member_role::change_member_role,
            list_members::{get_member, list_members},
            remove_member::remove_member,
            set_member_active::set_member_active,
        },
        organization::{
            cancel_deletion::cancel_deletion,
            delete_organization::delete_organization,
            get_organization::get_organization,
            suspend_organization::{resume_organization, suspend_organization},
            update_organization::update_organization,
        },
        roles::{create_role::create_role, delete_role::delete_role, update_role::update_role},
        teams::{
            change_team::{create_team, delete_team, rename_team},
            change_team_members::{add_team_members, remove_team_member},
            list_teams::list_teams,
        },
    },
};

pub(super) use convert::custom_role;

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct People {
    pub(crate) tools: Tools,
}

/// Reads the request, calls the operation with `tools` and the caller, and encodes what it answers.
macro_rules! answer {
    ($self:ident, $request:ident, |$tools:ident, $caller:ident, $message:ident| $operation:expr, $encode:expr) => {{
        let caller: RequestContext = auth::context(&$request)?.clone();
        let ($tools, $caller, $message) = (&$self.tools, &caller, $request.into_inner());
        let done: Result<_, Error> = async { $operation.await }.await;
        match done {
            Ok(value) => Ok(Response::new($encode(value))),
            Err(error) => Err(to_status(&error)),
        }
    }};
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PeopleService for People {
    async fn list_members(
        &self,
        request: Request<wire::ListMembersRequest>,
    ) -> Answer<wire::ListMembersResponse> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let team = convert::optional_id("teamId", &message.team_id)?;
                let (size, token) = (message.page_size, &message.page_token);
                list_members(tools, caller, team, size, token)
            },
            convert::members
        )
    }

    async fn get_member(&self, request: Request<wire::GetMemberRequest>) -> Answer<wire::Member> {
        answer!(
            self,
            request,
            |tools, caller, message| { get_member(tools, caller, id("userId", &message.user_id)?) },
            convert::member
        )
    }

    async fn change_member_role(
        &self,
        request: Request<wire::ChangeMemberRoleRequest>,
    ) -> Answer<wire::Member> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let user = id("userId", &message.user_id)?;
                let assignment = convert::assignment(message.role(), &message.role_id)?;
                change_member_role(tools, caller, user, assignment)
            },
            convert::member
        )
    }

    async fn deactivate_member(
        &self,
        request: Request<wire::DeactivateMemberRequest>,
    ) -> Answer<wire::Member> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                set_member_active(tools, caller, id("userId", &message.user_id)?, false)
            },
            convert::member
        )
    }

    async fn reactivate_member(
        &self,
        request: Request<wire::ReactivateMemberRequest>,
    ) -> Answer<wire::Member> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                set_member_active(tools, caller, id("userId", &message.user_id)?, true)
            },
            convert::member
        )
    }

    async fn remove_member(
        &self,
        request: Request<wire::RemoveMemberRequest>,
    ) -> Answer<wire::RemoveMemberResponse> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                remove_member(tools, caller, id("userId", &message.user_id)?)
            },
            |()| wire::RemoveMemberResponse {}
        )
    }

    async fn create_role(
        &self,
        request: Request<wire::CreateRoleRequest>,
    ) -> Answer<wire::RoleInfo> {
        answer!(
            self,
            request,
            |tools, caller, message| { create_role(tools, caller, convert::new_role(message)?) },
            convert::custom_role
        )
    }

    async fn update_role(
        &self,
        request: Request<wire::UpdateRoleRequest>,
    ) -> Answer<wire::RoleInfo> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let role = id("roleId", &message.role_id)?;
                update_role(tools, caller, role, convert::changed_role(message)?)
            },
            convert::custom_role
        )
    }

    async fn delete_role(
        &self,
        request: Request<wire::DeleteRoleRequest>,
    ) -> Answer<wire::DeleteRoleResponse> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                delete_role(tools, caller, id("roleId", &message.role_id)?)
            },
            |()| wire::DeleteRoleResponse {}
        )
    }

    async fn create_team(&self, request: Request<wire::CreateTeamRequest>) -> Answer<wire::Team> {
        answer!(
            self,
            request,
            |tools, caller, message| { create_team(tools, caller, message.name) },
            convert::team
        )
    }

    async fn rename_team(&self, request: Request<wire::RenameTeamRequest>) -> Answer<wire::Team> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                rename_team(tools, caller, id("teamId", &message.team_id)?, message.name)
            },
            convert::team
        )
    }

    async fn delete_team(
        &self,
        request: Request<wire::DeleteTeamRequest>,
    ) -> Answer<wire::DeleteTeamResponse> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                delete_team(tools, caller, id("teamId", &message.team_id)?)
            },
            |()| wire::DeleteTeamResponse {}
        )
    }

    async fn list_teams(
        &self,
        request: Request<wire::ListTeamsRequest>,
    ) -> Answer<wire::ListTeamsResponse> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                list_teams(tools, caller, message.page_size, &message.page_token)
            },
            convert::teams
        )
    }

    async fn add_team_members(
        &self,
        request: Request<wire::AddTeamMembersRequest>,
    ) -> Answer<wire::Team> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let team = id("teamId", &message.team_id)?;
                let users = message.user_ids.iter().map(|user| id("userIds", user));
                add_team_members(tools, caller, team, users.collect::<Result<_, _>>()?)
            },
            convert::team
        )
    }

    async fn remove_team_member(
        &self,
        request: Request<wire::RemoveTeamMemberRequest>,
    ) -> Answer<wire::Team> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let team = id("teamId", &message.team_id)?;
                remove_team_member(tools, caller, team, id("userId", &message.user_id)?)
            },
            convert::team
        )
    }

    async fn invite(&self, request: Request<wire::InviteRequest>) -> Answer<wire::Invitation> {
        let now = self.tools.db.clock().now();
        answer!(
            self,
            request,
            |tools, caller, message| {
                let assignment = convert::assignment(message.role(), &message.role_id)?;
                invite(tools, caller, &message.email, assignment)
            },
            |invitation| convert::invitation(invitation, now)
        )
    }

    async fn list_invitations(
        &self,
        request: Request<wire::ListInvitationsRequest>,
    ) -> Answer<wire::ListInvitationsResponse> {
        let now = self.tools.db.clock().now();
        answer!(
            self,
            request,
            |tools, caller, message| {
                let state = convert::state_filter(message.state());
                let (size, token) = (message.page_size, &message.page_token);
                list_invitations(tools, caller, state, size, token)
            },
            |page| convert::invitations(page, now)
        )
    }

    async fn resend_invitation(
        &self,
        request: Request<wire::ResendInvitationRequest>,
    ) -> Answer<wire::Invitation> {
        let now = self.tools.db.clock().now();
        answer!(
            self,
            request,
            |tools, caller, message| {
                resend_invitation(tools, caller, id("invitationId", &message.invitation_id)?)
            },
            |invitation| convert::invitation(invitation, now)
        )
    }

    async fn revoke_invitation(
        &self,
        request: Request<wire::RevokeInvitationRequest>,
    ) -> Answer<wire::Invitation> {
        let now = self.tools.db.clock().now();
        answer!(
            self,
            request,
            |tools, caller, message| {
                revoke_invitation(tools, caller, id("invitationId", &message.invitation_id)?)
            },
            |invitation| convert::invitation(invitation, now)
        )
    }

    async fn get_invitation(
        &self,
        request: Request<wire::GetInvitationRequest>,
    ) -> Answer<wire::InvitationPreview> {
        answer!(
            self,
            request,
            |tools, _caller, message| {
                let secret = SecretString::from(message.secret);
                async move { get_invitation(tools, &secret).await }
            },
            convert::preview
        )
    }

    async fn join_organization(
        &self,
        request: Request<wire::JoinOrganizationRequest>,
    ) -> Answer<wire::JoinedOrganization> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let secret = SecretString::from(message.secret);
                let (name, password) = (message.name, SecretString::from(message.password));
                async move { join_organization(tools, &secret, name, password, &caller.origin).await }
            },
            convert::joined
        )
    }

    async fn accept_invitation(
        &self,
        request: Request<wire::AcceptInvitationRequest>,
    ) -> Answer<wire::JoinedOrganization> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                let secret = SecretString::from(message.secret);
                async move { accept_invitation(tools, caller, &secret).await }
            },
            convert::joined
        )
    }

    async fn get_organization(
        &self,
        request: Request<wire::GetOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        answer!(
            self,
            request,
            |tools, caller, _message| { get_organization(tools, caller) },
            convert::organization
        )
    }

    async fn update_organization(
        &self,
        request: Request<wire::UpdateOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        answer!(
            self,
            request,
            |tools, caller, message| {
                update_organization(tools, caller, convert::new_settings(message)?)
            },
            convert::organization
        )
    }

    async fn delete_organization(
        &self,
        request: Request<wire::DeleteOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        answer!(
            self,
            request,
            |tools, caller, message| { delete_organization(tools, caller, &message.confirmation) },
            convert::organization
        )
    }

    async fn cancel_organization_deletion(
        &self,
        request: Request<wire::CancelOrganizationDeletionRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        answer!(
            self,
            request,
            |tools, caller, _message| { cancel_deletion(tools, caller) },
            convert::organization
        )
    }

    async fn suspend_organization(
        &self,
        request: Request<wire::SuspendOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        answer!(
            self,
            request,
            |tools, caller, message| { suspend_organization(tools, caller, message.reason) },
            convert::organization
        )
    }

    async fn resume_organization(
        &self,
        request: Request<wire::ResumeOrganizationRequest>,
    ) -> Answer<wire::OrganizationDetails> {
        answer!(
            self,
            request,
            |tools, caller, _message| { resume_organization(tools, caller) },
            convert::organization
        )
    }
}
