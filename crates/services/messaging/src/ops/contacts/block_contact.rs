//! BlockContact and UnblockContact: nothing is sent to a blocked contact. WhatsApp is told by a job.

use chrono::{DateTime, Utc};
use db::{Db, TenantTx, jobs, outbox};
use ids::{ContactId, TenantScope};
use proto::messaging::v1::Contact;

use super::read;
use crate::{
    error::Error,
    events::publish,
    jobs::tell_blocks,
    store::{contacts, conversations},
};

/// Blocking a blocked contact changes nothing.
pub(crate) async fn block_contact(
    db: &Db,
    scope: &TenantScope,
    id: ContactId,
) -> Result<Contact, Error> {
    let now = db.clock().now();
    set(db, scope, id, Some(now), now).await
}

pub(crate) async fn unblock_contact(
    db: &Db,
    scope: &TenantScope,
    id: ContactId,
) -> Result<Contact, Error> {
    let now = db.clock().now();
    set(db, scope, id, None, now).await
}

async fn set(
    db: &Db,
    scope: &TenantScope,
    id: ContactId,
    blocked_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Contact, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let mut contact = contacts::lock(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("contact"))?;
    if contact.blocked_at.is_some() != blocked_at.is_some() {
        contact.blocked_at = blocked_at;
        let version = contacts::update(tx.conn(), organization_id, &contact, now).await?;
        let change = if blocked_at.is_some() {
            "blocked"
        } else {
            "unblocked"
        };
        let event = publish::contact_changed(scope, contact.id, change, version, now);
        outbox::push(&mut tx, &[event]).await?;
        let channels =
            conversations::list_channels_of(tx.conn(), organization_id, contact.id).await?;
        let telling: Vec<_> = channels
            .into_iter()
            .map(|channel_id| tell_blocks::job(organization_id, contact.id, channel_id, now))
            .collect();
        jobs::push(&mut tx, &telling).await?;
    }
    let answer = read(&mut tx, organization_id, contact.id).await?;
    tx.commit().await?;
    Ok(answer)
}
