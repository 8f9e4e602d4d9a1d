//! Consumes what other services report to the audit log.

use bus::{BatchHandler, Delivery, HandlerError, ItemOutcome, Subscription};
use db::SystemTx;
use ids::{AuditEntryId, OrganizationId};
use proto::{common::v1::AuditRecord, messaging::events::v1::AuditRecorded};
use serde_json::Value;
use uuid::Uuid;

use crate::{domain::audit::Entry, store::audit};

/// What it listens to.
pub(crate) const SUBSCRIPTION: Subscription = Subscription {
    queue: "identity.on-audit-recorded",
    exchange: "messaging.events",
    routing_key: "messaging.audit.recorded.v1",
};

/// Why an event can't become an entry, now or later.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Decode(#[from] bus::DecodeError),
    #[error("the event belongs to no organization")]
    NoOrganization,
    #[error("the event has no record")]
    NoRecord,
    #[error("`{0}` of the record is not JSON")]
    NotJson(&'static str),
    /// PostgreSQL has no place for it.
    #[error("the record contains the character NUL")]
    Nul,
}

/// The handler.
#[derive(Debug)]
pub(crate) struct OnAuditRecorded;

impl BatchHandler for OnAuditRecorded {
    async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut entries: Vec<(OrganizationId, Entry)> = Vec::with_capacity(batch.len());
        for delivery in batch {
            outcomes.push(match read(delivery) {
                Ok(entry) => {
                    entries.push(entry);
                    ItemOutcome::Done
                }
                Err(error) => ItemOutcome::dead(&error),
            });
        }
        // In one order, so that two batches can't wait for each other's chains; stable, so that one chain's entries
        // keep theirs.
        entries.sort_by_key(|(organization_id, _)| *organization_id);
        let organizations: Vec<Uuid> = entries.iter().map(|(id, _)| id.as_uuid()).collect();
        // An organization that is gone took its log along.
        let known = audit::known_organizations(tx, &organizations).await?;
        for (organization_id, entry) in &entries {
            if known.contains(&organization_id.as_uuid()) {
                audit::append(tx, *organization_id, entry).await?;
            }
        }
        Ok(outcomes)
    }
}

fn read(delivery: &Delivery) -> Result<(OrganizationId, Entry), Unusable> {
    let AuditRecorded { target, record } = delivery.decode()?;
    let envelope = &delivery.envelope;
    let organization_id = envelope.organization_id.ok_or(Unusable::NoOrganization)?;
    let AuditRecord {
        action,
        before,
        after,
        address,
        user_agent,
    } = record.ok_or(Unusable::NoRecord)?;
    let actor = envelope.actor.clone().unwrap_or_default();
    let texts = [&actor, &action, &target, &address, &user_agent];
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(Unusable::Nul);
    }
    let entry = Entry {
        id: AuditEntryId::stamped(envelope.occurred_at),
        occurred_at: envelope.occurred_at,
        actor,
        action,
        target,
        before: json("before", &before)?,
        after: json("after", &after)?,
        address,
        user_agent,
        event_id: Some(envelope.event_id),
    };
    Ok((organization_id, entry))
}

fn json(field: &'static str, text: &str) -> Result<Option<Value>, Unusable> {
    if text.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_str(text).map_err(|_| Unusable::NotJson(field))?;
    if has_nul(&value) {
        return Err(Unusable::Nul);
    }
    Ok(Some(value))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;
