//! Requests to inputs, results to answers.

use std::str::FromStr;

use auth::{Conversations, Role};
use chrono::{DateTime, Utc};
use db::page::Page;
use ids::RoleId;
use pbjson_types::Timestamp;
use proto::identity::v1 as wire;

use crate::{
    Error,
    domain::{
        assignment::Assignment,
        invitation::{Invitation, State, masked},
        organization::Life,
    },
    ops::{
        invitations::{accept_invitation::Joined, get_invitation::Preview},
        members::Profile,
        organization::update_organization::NewSettings,
        roles::Draft,
    },
    store::{roles::CustomRole, settings::Settings, teams::Team},
};

/// The id in a field, named as in JSON.
pub(super) fn id<T: FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Field {
        field,
        problem: "is not an id of this kind",
    })
}

pub(super) fn optional_id<T: FromStr>(field: &'static str, text: &str) -> Result<Option<T>, Error> {
    match text {
        "" => Ok(None),
        text => id(field, text).map(Some),
    }
}

pub(super) fn assignment(role: wire::Role, role_id: &str) -> Result<Assignment, Error> {
    let role = Role::try_from(role).map_err(|_| Error::Field {
        field: "role",
        problem: "is not a role",
    })?;
    let role_id: Option<RoleId> = optional_id("roleId", role_id)?;
    Assignment::new(role, role_id).ok_or(Error::Field {
        field: "roleId",
        problem: "belongs to the role ROLE_CUSTOM and to no other",
    })
}

pub(super) fn members(page: Page<Profile>) -> wire::ListMembersResponse {
    wire::ListMembersResponse {
        members: page.items.into_iter().map(member).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub(super) fn member(profile: Profile) -> wire::Member {
    let Profile { entry, user } = profile;
    let state = if entry.active {
        wire::MemberState::Active
    } else {
        wire::MemberState::Deactivated
    };
    wire::Member {
        user_id: user.id.to_string(),
        name: user.name,
        email: user.email,
        role: wire::Role::from(entry.assignment.role()).into(),
        role_id: role_id(entry.assignment),
        state: state.into(),
        team_ids: entry.teams.iter().map(ToString::to_string).collect(),
        joined_by: entry.joined_by,
        joined_at: Some(entry.joined_at.into()),
    }
}

fn role_id(assignment: Assignment) -> String {
    assignment
        .role_id()
        .map(|id| id.to_string())
        .unwrap_or_default()
}

pub(super) fn new_role(request: wire::CreateRoleRequest) -> Result<Draft, Error> {
    Ok(Draft {
        conversations: conversations(request.conversations())?,
        name: request.name,
        permissions: request.permissions,
        hides_contact_details: request.hides_contact_details,
    })
}

pub(super) fn changed_role(request: wire::UpdateRoleRequest) -> Result<Draft, Error> {
    Ok(Draft {
        conversations: conversations(request.conversations())?,
        name: request.name,
        permissions: request.permissions,
        hides_contact_details: request.hides_contact_details,
    })
}

fn conversations(scope: wire::ConversationScope) -> Result<Conversations, Error> {
    match scope {
        wire::ConversationScope::Own => Ok(Conversations::Own),
        wire::ConversationScope::Team => Ok(Conversations::Team),
        wire::ConversationScope::All => Ok(Conversations::All),
        wire::ConversationScope::Unspecified => Err(Error::Field {
            field: "conversations",
            problem: "is missing",
        }),
    }
}

pub(in crate::grpc) fn custom_role(role: CustomRole) -> wire::RoleInfo {
    let conversations = match role.conversations {
        Conversations::Own => wire::ConversationScope::Own,
        Conversations::Team => wire::ConversationScope::Team,
        Conversations::All => wire::ConversationScope::All,
    };
    wire::RoleInfo {
        role: wire::Role::Custom.into(),
        permissions: role.permissions,
        id: role.id.to_string(),
        name: role.name,
        conversations: conversations.into(),
        hides_contact_details: role.hides_contact_details,
        created_at: Some(role.created_at.into()),
    }
}

pub(super) fn team(team: Team) -> wire::Team {
    wire::Team {
        id: team.id.to_string(),
        name: team.name,
        member_count: u32::try_from(team.member_count).unwrap_or(u32::MAX),
        created_at: Some(team.created_at.into()),
    }
}

pub(super) fn teams(page: Page<Team>) -> wire::ListTeamsResponse {
    wire::ListTeamsResponse {
        teams: page.items.into_iter().map(team).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub(super) fn invitation(invitation: Invitation, now: DateTime<Utc>) -> wire::Invitation {
    let state = match invitation.state(now) {
        State::Pending => wire::InvitationState::Pending,
        State::Accepted => wire::InvitationState::Accepted,
        State::Expired => wire::InvitationState::Expired,
        State::Revoked => wire::InvitationState::Revoked,
    };
    let accepted_by = invitation.accepted_by.map(|id| id.to_string());
    wire::Invitation {
        id: invitation.id.to_string(),
        email: invitation.email,
        role: wire::Role::from(invitation.assignment.role()).into(),
        role_id: role_id(invitation.assignment),
        state: state.into(),
        invited_by: invitation.invited_by.to_string(),
        created_at: Some(invitation.created_at.into()),
        sent_at: Some(invitation.sent_at.into()),
        expires_at: Some(invitation.expires_at.into()),
        accepted_by: accepted_by.unwrap_or_default(),
    }
}

pub(super) fn invitations(
    page: Page<Invitation>,
    now: DateTime<Utc>,
) -> wire::ListInvitationsResponse {
    let one = |one| invitation(one, now);
    wire::ListInvitationsResponse {
        invitations: page.items.into_iter().map(one).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub(super) const fn state_filter(state: wire::InvitationState) -> Option<State> {
    match state {
        wire::InvitationState::Unspecified => None,
        wire::InvitationState::Pending => Some(State::Pending),
        wire::InvitationState::Accepted => Some(State::Accepted),
        wire::InvitationState::Expired => Some(State::Expired),
        wire::InvitationState::Revoked => Some(State::Revoked),
    }
}

pub(super) fn preview(preview: Preview) -> wire::InvitationPreview {
    wire::InvitationPreview {
        organization_name: preview.organization_name,
        role: wire::Role::from(preview.invitation.assignment.role()).into(),
        role_name: preview.role_name,
        email: masked(&preview.invitation.email),
        expires_at: Some(preview.invitation.expires_at.into()),
        has_account: preview.has_account,
    }
}

pub(super) fn joined(joined: Joined) -> wire::JoinedOrganization {
    wire::JoinedOrganization {
        organization_id: joined.organization_id.to_string(),
        organization_name: joined.organization_name,
        role: wire::Role::from(joined.role).into(),
        user_id: joined.user_id.to_string(),
    }
}

pub(super) fn new_settings(request: wire::UpdateOrganizationRequest) -> Result<NewSettings, Error> {
    let mfa_required_from = request.mfa_required_from.map(DateTime::try_from);
    Ok(NewSettings {
        version: request.version,
        name: request.name,
        time_zone: request.time_zone,
        locale: request.locale,
        mfa_required_from: mfa_required_from.transpose().map_err(|_| Error::Field {
            field: "mfaRequiredFrom",
            problem: "is not a time",
        })?,
    })
}

pub(super) fn organization(settings: Settings) -> wire::OrganizationDetails {
    let state = match settings.life {
        Life::Active => wire::OrganizationState::Active,
        Life::Suspended { .. } => wire::OrganizationState::Suspended,
        Life::Deleting { .. } => wire::OrganizationState::Deleting,
    };
    wire::OrganizationDetails {
        id: settings.id.to_string(),
        name: settings.name,
        state: state.into(),
        state_reason: settings.life.reason().to_owned(),
        delete_at: settings.life.delete_at().map(Timestamp::from),
        time_zone: settings.time_zone,
        locale: settings.locale,
        mfa_required_from: settings.mfa_required_from.map(Timestamp::from),
        version: u64::try_from(settings.version).unwrap_or_default(),
        created_at: Some(settings.created_at.into()),
    }
}
