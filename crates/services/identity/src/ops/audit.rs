//! How operations write the audit log.

use auth::Origin;
use db::{AsTx, DbError};
use ids::AuditEntryId;
use serde_json::Value;

use crate::{domain::audit::Entry, events::Occasion, store::audit};

/// What changed: from nothing, to nothing, or from one to the other. Never a secret.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Writes that `action` was done to `target`, in the transaction that does it.
pub(crate) async fn record(
    tx: &mut impl AsTx,
    occasion: &Occasion,
    origin: &Origin,
    action: &str,
    target: impl ToString,
    change: Change,
) -> Result<(), DbError> {
    let entry = Entry {
        id: AuditEntryId::stamped(occasion.at),
        occurred_at: occasion.at,
        actor: occasion.actor.to_string(),
        action: action.to_owned(),
        target: target.to_string(),
        before: change.before,
        after: change.after,
        address: origin
            .address
            .map(|address| address.to_string())
            .unwrap_or_default(),
        user_agent: origin.user_agent.clone(),
        event_id: None,
    };
    audit::append(tx, occasion.organization_id, &entry).await?;
    Ok(())
}
