//! What other services learn, and what they tell.

pub(crate) mod on_audit_recorded;
pub(crate) mod on_resend_received;

use auth::Role;
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, outbox};
use ids::{Actor, ApiKeyId, OrganizationId, SessionId, TeamId, UserId};
use proto::{
    events::DomainEvent,
    identity::events::v1::{
        ApiKeyRevoked, MemberChanged, MemberJoined, MemberRemoved, OrganizationCreated,
        OrganizationDeletionScheduled, OrganizationErased, OrganizationResumed,
        OrganizationSuspended, SessionEnded, TeamChanged, TeamDeleted,
    },
};

use crate::domain::session::EndReason;

/// Where and by whom something happened, and when.
#[derive(Debug, Clone)]
pub(crate) struct Occasion {
    pub(crate) organization_id: OrganizationId,
    pub(crate) actor: Actor,
    pub(crate) at: DateTime<Utc>,
}

pub(crate) async fn organization_created(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    owner: UserId,
) -> Result<(), DbError> {
    let event = OrganizationCreated {
        organization_id: occasion.organization_id.to_string(),
        owner_user_id: owner.to_string(),
        created_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

pub(crate) async fn api_key_revoked(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    id: ApiKeyId,
) -> Result<(), DbError> {
    let event = ApiKeyRevoked {
        api_key_id: id.to_string(),
        revoked_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

pub(crate) async fn session_ended(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    id: SessionId,
    user_id: UserId,
    reason: EndReason,
) -> Result<(), DbError> {
    let event = SessionEnded {
        session_id: id.to_string(),
        user_id: user_id.to_string(),
        reason: reason.as_str().to_owned(),
        ended_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

/// Like [`session_ended`], for many.
pub(crate) async fn sessions_ended(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    ended: &[(SessionId, UserId)],
    reason: EndReason,
) -> Result<(), DbError> {
    let event = |&(id, user_id): &(SessionId, UserId)| {
        let event = SessionEnded {
            session_id: id.to_string(),
            user_id: user_id.to_string(),
            reason: reason.as_str().to_owned(),
            ended_at: Some(occasion.at.into()),
        };
        of(occasion, &event)
    };
    outbox::push(tx, &ended.iter().map(event).collect::<Vec<_>>()).await
}

pub(crate) async fn member_joined(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    user_id: UserId,
    role: Role,
) -> Result<(), DbError> {
    let event = MemberJoined {
        user_id: user_id.to_string(),
        role: role.to_string(),
        joined_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

pub(crate) async fn member_changed(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    user_id: UserId,
    role: Role,
    active: bool,
) -> Result<(), DbError> {
    let event = MemberChanged {
        user_id: user_id.to_string(),
        role: role.to_string(),
        active,
        changed_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

pub(crate) async fn member_removed(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    user_id: UserId,
) -> Result<(), DbError> {
    let event = MemberRemoved {
        user_id: user_id.to_string(),
        removed_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

/// All of its members, so that whoever hears only this event knows the team.
pub(crate) async fn team_changed(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    id: TeamId,
    name: &str,
    members: &[UserId],
) -> Result<(), DbError> {
    let event = TeamChanged {
        team_id: id.to_string(),
        name: name.to_owned(),
        member_user_ids: members.iter().map(UserId::to_string).collect(),
        changed_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

pub(crate) async fn team_deleted(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    id: TeamId,
) -> Result<(), DbError> {
    let event = TeamDeleted {
        team_id: id.to_string(),
        deleted_at: Some(occasion.at.into()),
    };
    push(tx, occasion, &event).await
}

/// What an organization's life tells others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    Suspended,
    Resumed,
    DeletionScheduled { delete_at: DateTime<Utc> },
    Erased,
}

pub(crate) async fn organization_turned(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    turn: Turn,
) -> Result<(), DbError> {
    let organization_id = occasion.organization_id.to_string();
    let at = Some(occasion.at.into());
    let event = match turn {
        Turn::Suspended => of(
            occasion,
            &OrganizationSuspended {
                organization_id,
                suspended_at: at,
            },
        ),
        Turn::Resumed => of(
            occasion,
            &OrganizationResumed {
                organization_id,
                resumed_at: at,
            },
        ),
        Turn::DeletionScheduled { delete_at } => of(
            occasion,
            &OrganizationDeletionScheduled {
                organization_id,
                delete_at: Some(delete_at.into()),
            },
        ),
        Turn::Erased => of(
            occasion,
            &OrganizationErased {
                organization_id,
                erased_at: at,
            },
        ),
    };
    outbox::push(tx, &[event]).await
}

async fn push<E: DomainEvent>(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    event: &E,
) -> Result<(), DbError> {
    outbox::push(tx, &[of(occasion, event)]).await
}

fn of<E: DomainEvent>(occasion: &Occasion, event: &E) -> outbox::Event {
    let Occasion {
        organization_id,
        actor,
        at,
    } = occasion;
    bus::event(event, Some(*organization_id), Some(actor.to_string()), *at)
}
