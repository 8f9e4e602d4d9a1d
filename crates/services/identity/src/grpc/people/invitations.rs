//! Invitations, from both sides.

use proto::identity::v1 as wire;
use secrecy::SecretString;
use tonic::Request;

use super::{
    Answer, answer,
    convert::{self, id},
};
use crate::ops::{
    Tools,
    invitations::{
        accept_invitation, get_invitation, invite, list_invitations, resend_invitation,
        revoke_invitation,
    },
};

pub(super) async fn invite(
    tools: &Tools,
    request: Request<wire::InviteRequest>,
) -> Answer<wire::Invitation> {
    let now = tools.db.clock().now();
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let assignment = convert::assignment(message.role(), &message.role_id)?;
            invite::invite(tools, caller, &message.email, assignment)
        },
        |invitation| convert::invitation(invitation, now)
    )
}

pub(super) async fn list_invitations(
    tools: &Tools,
    request: Request<wire::ListInvitationsRequest>,
) -> Answer<wire::ListInvitationsResponse> {
    let now = tools.db.clock().now();
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let state = convert::state_filter(message.state());
            let (size, token) = (message.page_size, &message.page_token);
            list_invitations::list_invitations(tools, caller, state, size, token)
        },
        |page| convert::invitations(page, now)
    )
}

pub(super) async fn resend_invitation(
    tools: &Tools,
    request: Request<wire::ResendInvitationRequest>,
) -> Answer<wire::Invitation> {
    let now = tools.db.clock().now();
    answer!(
        tools,
        request,
        |tools, caller, message| {
            resend_invitation::resend_invitation(
                tools,
                caller,
                id("invitationId", &message.invitation_id)?,
            )
        },
        |invitation| convert::invitation(invitation, now)
    )
}

pub(super) async fn revoke_invitation(
    tools: &Tools,
    request: Request<wire::RevokeInvitationRequest>,
) -> Answer<wire::Invitation> {
    let now = tools.db.clock().now();
    answer!(
        tools,
        request,
        |tools, caller, message| {
            revoke_invitation::revoke_invitation(
                tools,
                caller,
                id("invitationId", &message.invitation_id)?,
            )
        },
        |invitation| convert::invitation(invitation, now)
    )
}

pub(super) async fn get_invitation(
    tools: &Tools,
    request: Request<wire::GetInvitationRequest>,
) -> Answer<wire::InvitationPreview> {
    answer!(
        tools,
        request,
        |tools, _caller, message| {
            let secret = SecretString::from(message.secret);
            async move { get_invitation::get_invitation(tools, &secret).await }
        },
        convert::preview
    )
}

pub(super) async fn join_organization(
    tools: &Tools,
    request: Request<wire::JoinOrganizationRequest>,
) -> Answer<wire::JoinedOrganization> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let secret = SecretString::from(message.secret);
            let (name, password) = (message.name, SecretString::from(message.password));
            async move {
                accept_invitation::join_organization(tools, &secret, name, password, &caller.origin)
                    .await
            }
        },
        convert::joined
    )
}

pub(super) async fn accept_invitation(
    tools: &Tools,
    request: Request<wire::AcceptInvitationRequest>,
) -> Answer<wire::JoinedOrganization> {
    answer!(
        tools,
        request,
        |tools, caller, message| {
            let secret = SecretString::from(message.secret);
            async move { accept_invitation::accept_invitation(tools, caller, &secret).await }
        },
        convert::joined
    )
}
