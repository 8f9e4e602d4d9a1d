//! Examples of what identity tells.

use proto::identity::events::v1::{
    ApiKeyRevoked, MemberChanged, MemberJoined, MemberRemoved, OrganizationCreated,
    OrganizationDeletionScheduled, OrganizationErased, OrganizationResumed, OrganizationSuspended,
    SessionEnded, TeamChanged, TeamDeleted,
};

use super::{AT, Example};

pub(super) fn examples() -> Vec<Example> {
    vec![
        Example::of(&OrganizationCreated {
            organization_id: "org_1".into(),
            owner_user_id: "usr_1".into(),
            created_at: AT,
        }),
        Example::of(&ApiKeyRevoked {
            api_key_id: "key_1".into(),
            revoked_at: AT,
        }),
        Example::of(&SessionEnded {
            session_id: "ses_1".into(),
            user_id: "usr_1".into(),
            reason: "logged_out".into(),
            ended_at: AT,
        }),
        Example::of(&MemberJoined {
            user_id: "usr_1".into(),
            role: "agent".into(),
            joined_at: AT,
        }),
        Example::of(&MemberChanged {
            user_id: "usr_1".into(),
            role: "custom".into(),
            active: true,
            changed_at: AT,
        }),
        Example::of(&MemberRemoved {
            user_id: "usr_1".into(),
            removed_at: AT,
        }),
        Example::of(&TeamChanged {
            team_id: "team_1".into(),
            name: "Sales".into(),
            member_user_ids: vec!["usr_1".into(), "usr_2".into()],
            changed_at: AT,
        }),
        Example::of(&TeamDeleted {
            team_id: "team_1".into(),
            deleted_at: AT,
        }),
        Example::of(&OrganizationSuspended {
            organization_id: "org_1".into(),
            suspended_at: AT,
        }),
        Example::of(&OrganizationResumed {
            organization_id: "org_1".into(),
            resumed_at: AT,
        }),
        Example::of(&OrganizationDeletionScheduled {
            organization_id: "org_1".into(),
            delete_at: AT,
        }),
        Example::of(&OrganizationErased {
            organization_id: "org_1".into(),
            erased_at: AT,
        }),
    ]
}
