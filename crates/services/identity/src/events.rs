//! What other services learn.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, outbox};
use ids::{Actor, ApiKeyId, OrganizationId, SessionId, UserId};
use proto::{
    events::DomainEvent,
    identity::events::v1::{ApiKeyRevoked, OrganizationCreated, SessionEnded},
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

async fn push<E: DomainEvent>(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    event: &E,
) -> Result<(), DbError> {
    let Occasion {
        organization_id,
        actor,
        at,
    } = occasion;
    let event = bus::event(event, Some(*organization_id), Some(actor.to_string()), *at);
    outbox::push(tx, &[event]).await
}
